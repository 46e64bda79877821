import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport, type Thumbnail, thumbnailsFromDisk } from '../../../src/report/index.ts';
import { worstPhotos } from '../../../src/report/sections/worst-photos.ts';
import { inventedRows, masses, runResults } from '../run-results.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-thumbnails-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Pixels of a thumbnail as [red, green, blue] at a place given in parts of width and height. */
async function colourAt(thumbnail: Thumbnail, across: number, down: number): Promise<number[]> {
  if (thumbnail.kind === 'missing') throw new Error(thumbnail.reason);
  const bytes = Buffer.from(thumbnail.dataUri.replace('data:image/jpeg;base64,', ''), 'base64');
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([thumbnail.width, thumbnail.height]);
  const offset =
    (Math.floor(down * info.height) * info.width + Math.floor(across * info.width)) * info.channels;
  return [...data.subarray(offset, offset + 3)];
}

/** A photo 800 × 400, left half red and right half blue, with the EXIF orientation given. */
async function redBluePhoto(name: string, orientation: number): Promise<string> {
  const blue = await sharp({ create: { width: 400, height: 400, channels: 3, background: '#0000ff' } })
    .png()
    .toBuffer();
  const path = join(folder, name);
  await sharp({ create: { width: 800, height: 400, channels: 3, background: '#ff0000' } })
    .composite([{ input: blue, left: 400, top: 0 }])
    .withMetadata({ orientation })
    .jpeg({ quality: 95 })
    .toFile(path);
  return path;
}

describe('choosing the worst photos', () => {
  it('goes by the weighted squared error, in which total counts most', () => {
    const [a, b, c] = inventedRows(3);
    if (a === undefined || b === undefined || c === undefined) throw new Error('three rows are needed');
    const truth = masses(10, 10, 10);
    const rows = [
      { ...a, imageId: 'clover-for-green', observed: truth, predicted: masses(16, 10, 4) },
      { ...b, imageId: 'all-too-high', observed: truth, predicted: masses(13, 13, 13) },
      { ...c, imageId: 'right', observed: truth, predicted: truth },
    ];
    const worst = worstPhotos(rows, 2);
    expect(worst.map((photo) => photo.row.imageId)).toEqual(['all-too-high', 'clover-for-green']);
    // 0.1 · 3 · 3² + 0.2 · 6² + 0.5 · 9² and 0.1 · 2 · 6² by hand.
    expect(worst[0]?.weightedSquaredError).toBeCloseTo(50.4, 10);
    expect(worst[1]?.weightedSquaredError).toBeCloseTo(7.2, 10);
    expect(worst[0]?.share).toBeCloseTo(50.4 / 57.6, 10);
  });

  it('breaks ties by id, so that the order of rows does not matter', () => {
    const rows = inventedRows(4).map((row, index) => ({
      ...row,
      imageId: `ID${9 - index}`,
      observed: masses(1, 1, 1),
      predicted: masses(2, 2, 2),
    }));
    expect(worstPhotos(rows, 4).map((photo) => photo.row.imageId)).toEqual(['ID6', 'ID7', 'ID8', 'ID9']);
  });
});

describe('thumbnails', () => {
  it('are 320 pixels across and upright as the camera was held', async () => {
    const level = await thumbnailsFromDisk(await redBluePhoto('level.jpg', 1));
    expect(level).toMatchObject({ kind: 'picture', width: 320, height: 160 });
    expect((await colourAt(level, 0.25, 0.5))[0]).toBeGreaterThan(200);
    expect((await colourAt(level, 0.75, 0.5))[2]).toBeGreaterThan(200);
    // Orientation 6: the camera stood on its side, the stored left is the true top.
    const turned = await thumbnailsFromDisk(await redBluePhoto('turned.jpg', 6));
    expect(turned).toMatchObject({ kind: 'picture', width: 240, height: 480 });
    expect((await colourAt(turned, 0.5, 0.25))[0]).toBeGreaterThan(200);
    expect((await colourAt(turned, 0.5, 0.75))[2]).toBeGreaterThan(200);
  });

  it('say in words when a photo is gone or is not a photo', async () => {
    const text = join(folder, 'missing no such file.jpg');
    await writeFile(text, 'not a photo');
    expect(await thumbnailsFromDisk(join(folder, 'gone.jpg'))).toEqual({
      kind: 'missing',
      reason: 'photo not found',
    });
    expect(await thumbnailsFromDisk(text)).toEqual({ kind: 'missing', reason: 'photo cannot be read' });
  });
});

describe('the section of worst photos', () => {
  it('shows twelve photos, each with observed → predicted for the five targets', async () => {
    const photoPath = await redBluePhoto('shown.jpg', 1);
    const rows = inventedRows(30).map((row) => ({ ...row, photoPath }));
    const { document } = new JSDOM(await renderReport(runResults(rows))).window;
    const cards = [...document.querySelectorAll('#worst-photos figure')];
    expect(cards).toHaveLength(12);
    const worst = worstPhotos(rows, 12);
    expect(cards.map((card) => card.querySelector('.id')?.textContent)).toEqual(
      worst.map((photo) => photo.row.imageId),
    );
    const first = worst[0]?.row;
    const total = [...(cards[0]?.querySelector('tbody tr:last-child')?.children ?? [])].map(
      (cell) => cell.textContent,
    );
    expect(total.slice(0, 4)).toEqual([
      'Total',
      first?.observed.total.toFixed(1),
      '→',
      first?.predicted.total.toFixed(1),
    ]);
    expect(cards[0]?.querySelector('img')?.getAttribute('src')).toMatch(/^data:image\/jpeg;base64,/);
  });

  it('stands in words for photos that are missing, and asks only for those it shows', async () => {
    const asked: string[] = [];
    const rows = inventedRows(20).map((row, index) => ({
      ...row,
      photoPath: index % 2 === 0 ? `/photos/${row.imageId}.jpg` : null,
    }));
    const page = await renderReport(runResults(rows), {
      worstCount: 5,
      thumbnails: async (path) => {
        asked.push(path);
        return { kind: 'missing', reason: 'photo <moved>' };
      },
    });
    const { document } = new JSDOM(page).window;
    const words = [...document.querySelectorAll('.placeholder')].map((box) => box.textContent);
    const paths = worstPhotos(rows, 5).map((photo) => photo.row.photoPath);
    expect(words).toEqual(paths.map((path) => (path === null ? 'no photo, only features' : 'photo <moved>')));
    expect(asked).toEqual(paths.filter((path) => path !== null));
  });

  it('keeps no place for pictures of a run that knows features alone, and says so', async () => {
    const rows = inventedRows(8).map((row) => ({ ...row, photoPath: null }));
    const { document } = new JSDOM(await renderReport(runResults(rows), { worstCount: 3 })).window;
    expect(document.querySelectorAll('#worst-photos figure.photo')).toHaveLength(3);
    expect(document.querySelectorAll('#worst-photos :is(img, .placeholder)')).toHaveLength(0);
    expect(document.querySelector('#worst-photos p')?.textContent).toMatch(/features alone/);
  });
});
