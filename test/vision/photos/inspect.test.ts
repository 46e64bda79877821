import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';
import { photoFrom } from '../../../src/vision/photos/photo.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-inspect-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function plain(): Sharp {
  return sharp({ create: { width: 12, height: 6, channels: 3, background: '#448844' } });
}

describe('inspecting a photo', () => {
  it('reads the time and place of exposure', async () => {
    const path = join(folder, 'placed.jpg');
    await plain()
      .withExif({
        IFD2: { DateTimeOriginal: '2015:09:04 10:11:12' },
        IFD3: {
          GPSLatitudeRef: 'S',
          GPSLatitude: '41/1 30/1 36/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '147/1 15/1 0/1',
        },
      })
      .jpeg()
      .toFile(path);
    const facts = await inspectPhoto(path);
    expect(facts).toMatchObject({ width: 12, height: 6, orientation: 1 });
    expect(facts.takenAt?.toISOString()).toBe('2015-09-04T10:11:12.000Z');
    expect(facts.gps?.latitude).toBeCloseTo(-41.51, 6);
    expect(facts.gps?.longitude).toBeCloseTo(147.25, 6);
  });

  it('takes no time that no clock shows', async () => {
    for (const [time, next, takenAt] of [
      ['2026:99:99 10:11:12', '2015:09:04 10:11:12', '2015-09-04T10:11:12.000Z'],
      ['2026:02:30 10:11:12', '0000:00:00 00:00:00', undefined],
    ]) {
      const path = join(folder, 'timed.jpg');
      await plain()
        .withExif({ IFD0: { DateTime: next ?? '' }, IFD2: { DateTimeOriginal: time ?? '' } })
        .jpeg()
        .toFile(path);
      expect((await inspectPhoto(path)).takenAt?.toISOString()).toBe(takenAt);
    }
  });

  it('leaves out what the file does not say', async () => {
    const path = join(folder, 'bare.png');
    await plain().png().toFile(path);
    expect(await inspectPhoto(path)).toEqual({ width: 12, height: 6, orientation: 1 });
  });

  it('does not mind a malformed EXIF block', async () => {
    const path = join(folder, 'odd.jpg');
    const jpeg = await plain().jpeg().toBuffer();
    const block = Buffer.concat([Buffer.from('Exif\0\0MM\0*', 'latin1'), Buffer.alloc(9, 0xff)]);
    const marker = Buffer.from([0xff, 0xe1, 0, block.length + 2]);
    await writeFile(path, Buffer.concat([jpeg.subarray(0, 2), marker, block, jpeg.subarray(2)]));
    expect(await inspectPhoto(path)).toMatchObject({ width: 12, height: 6 });
  });
});

interface GpsTags {
  readonly latitude?: string;
  readonly latitudeRef?: string;
  readonly longitude?: string;
  readonly longitudeRef?: string;
}

/** Where a photo says it was taken: 41° 30′ 36″ S 147° 15′ E unless other tags are given. */
async function positionOf(tags: GpsTags) {
  const bytes = await plain()
    .withExif({
      IFD3: {
        GPSLatitude: tags.latitude ?? '41/1 30/1 36/1',
        GPSLongitude: tags.longitude ?? '147/1 15/1 0/1',
        ...(tags.latitudeRef !== undefined && { GPSLatitudeRef: tags.latitudeRef }),
        ...(tags.longitudeRef !== undefined && { GPSLongitudeRef: tags.longitudeRef }),
      },
    })
    .jpeg()
    .toBuffer();
  return (await inspectPhoto(photoFrom('placed.jpg', bytes))).gps;
}

describe('the position of a photo', () => {
  it.each([
    ['S', 'E', -41.51, 147.25],
    ['N', 'W', 41.51, -147.25],
    ['s', 'e', -41.51, 147.25],
    ['South', 'East', -41.51, 147.25],
    ['SOUTH', 'west', -41.51, -147.25],
    [' S ', 'E', -41.51, 147.25],
  ])('is that of %s and %s', async (latitudeRef, longitudeRef, latitude, longitude) => {
    const gps = await positionOf({ latitudeRef, longitudeRef });
    expect(gps?.latitude).toBeCloseTo(latitude, 6);
    expect(gps?.longitude).toBeCloseTo(longitude, 6);
  });

  it('may be in degrees alone, or on the equator', async () => {
    const refs = { latitudeRef: 'S', longitudeRef: 'E' };
    expect(await positionOf({ ...refs, latitude: '415/10', longitude: '147/1' })).toEqual({
      latitude: -41.5,
      longitude: 147,
    });
    expect((await positionOf({ ...refs, latitude: '0/1 0/1 0/1' }))?.longitude).toBe(147.25);
  });

  it.each<[string, GpsTags]>([
    ['without references', {}],
    ['without one reference', { latitudeRef: 'S' }],
    ['with an empty reference', { latitudeRef: ' ', longitudeRef: 'E' }],
    ['with an unknown reference', { latitudeRef: 'X', longitudeRef: 'E' }],
    ['with a reference of the other axis', { latitudeRef: 'E', longitudeRef: 'S' }],
    ['of a phone without a fix', { latitude: '0/0 0/0 0/0', latitudeRef: 'S', longitudeRef: 'E' }],
    ['with seconds that are no number', { latitude: '41/1 30/1 0/0', latitudeRef: 'S', longitudeRef: 'E' }],
    ['beyond a pole', { latitude: '91/1 0/1 0/1', latitudeRef: 'S', longitudeRef: 'E' }],
    ['beyond half a turn', { longitude: '181/1 0/1 0/1', latitudeRef: 'S', longitudeRef: 'E' }],
    ['with too many minutes', { latitude: '41/1 90/1 0/1', latitudeRef: 'S', longitudeRef: 'E' }],
    [
      'at 0° N 0° E',
      { latitude: '0/1 0/1 0/1', longitude: '0/1 0/1 0/1', latitudeRef: 'N', longitudeRef: 'E' },
    ],
  ])('is none %s', async (_, tags) => {
    expect(await positionOf(tags)).toBeUndefined();
  });
});

const cases = join(process.env.SWARD_SHARED ?? '../shared', 'cases', '05-gps-ref');

describe.skipIf(!existsSync(cases))('photos of other programs', () => {
  it.each([
    ['ok', true],
    ['lower', true],
    ['word', true],
    ['noref', false],
    ['zero', false],
    ['zero_ref', false],
  ])('have their position, or none: %s', async (name, isPlaced) => {
    const { gps } = await inspectPhoto(join(cases, `gps_${name}.jpg`));
    if (!isPlaced) return expect(gps).toBeUndefined();
    expect(gps?.latitude).toBeCloseTo(-36.804039, 5);
    expect(gps?.longitude).toBeCloseTo(149.053681, 5);
  });
});
