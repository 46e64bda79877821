import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { computeDescriptors } from '../../../src/vision/descriptors/index.ts';
import {
  decodePhoto,
  openPhoto,
  type Pixels,
  photoHash,
  photoKey,
  type Quadrilateral,
} from '../../../src/vision/photos/index.ts';
import {
  orderedCorners,
  type Point,
  projectionOnto,
  rectangleAspect,
  rectifiedSize,
} from '../../../src/vision/photos/quadrilateral.ts';
import { rectified } from '../../../src/vision/photos/rectify.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('rectify');

/** A picture whose red and green tell where a pixel lies, smoothly. */
function ramps(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set([Math.round((255 * x) / width), Math.round((255 * y) / height), 77], 3 * (y * width + x));
    }
  }
  return { width, height, data };
}

/** Where a pinhole camera sees the corners of a rectangle, tilted about both axes of the picture. */
function seen(
  aspect: number,
  tiltX: number,
  tiltY: number,
  focal: number,
  picture: { width: number; height: number },
) {
  const diagonal = Math.hypot(picture.width, picture.height);
  const corner = (x: number, y: number): Point => {
    const [cx, sx, cy, sy] = [Math.cos(tiltX), Math.sin(tiltX), Math.cos(tiltY), Math.sin(tiltY)];
    const [px, py, pz] = [x * cy, y * cx + x * sx * sy, y * sx - x * sy * cx + 4];
    return {
      x: picture.width / 2 + (focal * diagonal * px) / pz,
      y: picture.height / 2 + (focal * diagonal * py) / pz,
    };
  };
  const [w, h] = [aspect / 2, 0.5];
  return orderedCorners([corner(-w, -h), corner(w, -h), corner(w, h), corner(-w, h)]);
}

describe('projectionOnto', () => {
  it('takes the corners of the unit square to those of the quadrilateral', () => {
    const near = fc.double({ min: 0, max: 30, noNaN: true });
    fc.assert(
      fc.property(fc.array(near, { minLength: 8, maxLength: 8 }), (d) => {
        const [a = 0, b = 0, c = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = d;
        const corners: Quadrilateral = [
          { x: a, y: b },
          { x: 100 - c, y: e },
          { x: 100 - f, y: 100 - g },
          { x: h, y: 100 - i },
        ];
        const [p0, p1, p2, p3, p4, p5, p6, p7] = projectionOnto(corners);
        for (const [index, [u, v]] of [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ].entries() as IterableIterator<[number, [number, number]]>) {
          const w = p6 * u + p7 * v + 1;
          expect((p0 * u + p1 * v + p2) / w).toBeCloseTo(corners[index]?.x ?? Number.NaN, 6);
          expect((p3 * u + p4 * v + p5) / w).toBeCloseTo(corners[index]?.y ?? Number.NaN, 6);
        }
      }),
    );
  });
});

describe('rectangleAspect', () => {
  it.each([
    [70 / 30, 0, 0],
    [70 / 30, 0.5, 0],
    [70 / 30, 0, 0.4],
    [70 / 30, 0.35, 0.3],
    [1, 0.45, -0.3],
    [0.6, -0.3, 0.35],
  ])('gives the proportions %f of a rectangle tilted by %f and %f', (aspect, tiltX, tiltY) => {
    const picture = { width: 4000, height: 3000 };
    const corners = seen(aspect, tiltX, tiltY, 0.62, picture) as Quadrilateral;
    expect(rectangleAspect(corners, picture) / aspect).toBeCloseTo(1, 3);
  });
});

describe('rectified', () => {
  it('copies a rectangle along the pixels digit for digit', () => {
    const picture = ramps(60, 40);
    const corners: Quadrilateral = [
      { x: 10, y: 5 },
      { x: 50, y: 5 },
      { x: 50, y: 25 },
      { x: 10, y: 25 },
    ];
    const { width, height, data } = rectified(picture, corners);
    expect([width, height]).toEqual([40, 20]);
    for (let y = 0; y < height; y++) {
      const from = 3 * ((y + 5) * 60 + 10);
      expect(data.subarray(3 * y * width, 3 * (y + 1) * width)).toEqual(
        picture.data.subarray(from, from + 120),
      );
    }
  });

  it('shows what lay in a frame as if from above', () => {
    const picture = { width: 800, height: 600 };
    const corners = seen(2, 0.4, 0.2, 0.62, picture) as Quadrilateral;
    const { width, height, data } = rectified(ramps(picture.width, picture.height), corners);
    expect(width / height).toBeCloseTo(2, 1);
    expect({ width, height }).toEqual(rectifiedSize(corners, picture));
    const at = (x: number, y: number): number[] => [
      ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 2),
    ];
    const near = (value: number, wanted: number): void => expect(Math.abs(value - wanted)).toBeLessThan(3);
    for (const [corner, x, y] of [
      [0, 0, 0],
      [1, width - 1, 0],
      [2, width - 1, height - 1],
      [3, 0, height - 1],
    ] as const) {
      const [red = 0, green = 0] = at(x, y);
      near(red, (255 * corners[corner].x) / picture.width);
      near(green, (255 * corners[corner].y) / picture.height);
    }
  });
});

describe('a part of a photo', () => {
  const corners: Quadrilateral = [
    { x: 20, y: 10 },
    { x: 220, y: 10 },
    { x: 220, y: 110 },
    { x: 20, y: 110 },
  ];

  it('is counted in the upright photo, and remembered apart from the whole', async () => {
    const path = join(folder, 'turned.jpg');
    const { data, width, height } = ramps(120, 240);
    // Orientation 6: stored lying on its side.
    await sharp(data, { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toFile(path);
    const whole = await decodePhoto(path);
    expect([whole.width, whole.height]).toEqual([240, 120]);
    const part = { of: path, corners, framing: 'given' } as const;
    const opened = await openPhoto(part);
    expect([opened.width, opened.height]).toEqual([200, 100]);
    const cut = await decodePhoto(part);
    expect([...cut.data.subarray(0, 3)]).toEqual([
      ...whole.data.subarray(3 * (10 * 240 + 20), 3 * (10 * 240 + 21)),
    ]);
    const hash = await photoHash(part);
    expect(hash).toBe(await photoHash(path));
    expect(photoKey(path, hash)).toBe(hash);
    expect(photoKey(part, hash)).not.toBe(hash);
    const options = { cacheFolder: join(folder, 'cache') };
    const both = await computeDescriptors([path, part, path, part], options);
    const row = (item: number): Float64Array =>
      both.data.slice(item * both.columns, (item + 1) * both.columns);
    expect(row(0)).toEqual(row(2));
    expect(row(1)).toEqual(row(3));
    expect(row(0)).not.toEqual(row(1));
    expect((await computeDescriptors([part, path], options)).computed).toBe(0);
  });
});
