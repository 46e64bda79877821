import { describe, expect, it } from 'vitest';
import {
  horizontalFlip,
  placed,
  quarterTurned,
  shrunkOnCanvas,
  verticalFlip,
} from '../../../src/vision/augment/geometry.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { meadow, mirrored, picture, turned } from '../descriptors/pictures.ts';

const photo = meadow(30, 4, 40, 24);
const still = { right: 0, down: 0, scale: 1, degrees: 0 };

function redAt({ width, data }: Pixels, x: number, y: number): number {
  return data[(y * width + x) * 3] ?? Number.NaN;
}

describe('flips and turns', () => {
  it('are what they are called, and undo themselves', () => {
    expect([...horizontalFlip(photo).data]).toEqual([...mirrored(photo).data]);
    expect([...quarterTurned(photo, 1).data]).toEqual([...turned(photo).data]);
    expect([...horizontalFlip(horizontalFlip(photo)).data]).toEqual([...photo.data]);
    expect([...verticalFlip(verticalFlip(photo)).data]).toEqual([...photo.data]);
    expect([...verticalFlip(horizontalFlip(photo)).data]).toEqual([...quarterTurned(photo, 2).data]);
  });

  it('compose: turns add up, and four make none', () => {
    for (let a = 0; a < 4; a++) {
      for (let b = 0; b < 4; b++) {
        expect(quarterTurned(quarterTurned(photo, a), b)).toEqual(quarterTurned(photo, (a + b) % 4));
      }
    }
    expect([...quarterTurned(photo, 4).data]).toEqual([...photo.data]);
    expect([...quarterTurned(photo, -1).data]).toEqual([...quarterTurned(photo, 3).data]);
  });
});

describe('shift, scale and rotation', () => {
  it('do nothing at their neutral values', () => {
    expect([...placed(photo, still).data]).toEqual([...photo.data]);
  });

  it('shift by whole pixels exactly and mirror beyond the border', () => {
    const ramp = picture(10, 4, (x, y) => [x * 10, y * 10, 0]);
    const moved = placed(ramp, { ...still, right: 3, down: 1 });
    expect(Array.from({ length: 10 }, (_, x) => redAt(moved, x, 2) / 10)).toEqual([
      3, 2, 1, 0, 1, 2, 3, 4, 5, 6,
    ]);
    expect(moved.data[(0 * 10 + 5) * 3 + 1]).toBe(10);
  });

  it('turn as quarter turns do', () => {
    const square = meadow(40, 5, 33, 33);
    const quarter = placed(square, { ...still, degrees: 90 });
    expect([...quarter.data]).toEqual([...quarterTurned(square, 1).data]);
  });

  it('enlarge about the middle', () => {
    const dot = picture(21, 21, (x, y) =>
      Math.abs(x - 10) <= 2 && Math.abs(y - 10) <= 2 ? [255, 0, 0] : [0, 0, 0],
    );
    const area = (pixels: Pixels): number =>
      pixels.data.reduce((sum, value, index) => sum + (index % 3 === 0 ? value : 0), 0) / 255;
    expect(area(placed(dot, { ...still, scale: 2 }))).toBeCloseTo(100, -1);
    expect(area(placed(dot, { ...still, degrees: 30 }))).toBeCloseTo(25, 0);
  });

  it('stay within a picture of one colour, whatever is asked', () => {
    const grey = picture(7, 9, () => [77, 88, 99]);
    for (const degrees of [0, 13, 90, 179]) {
      const result = placed(grey, { right: 40, down: -30, scale: 0.3, degrees });
      expect([...result.data]).toEqual([...grey.data]);
    }
  });
});

describe('shrinking on a canvas', () => {
  it('covers the factor squared of the area and leaves the rest black', () => {
    const white = picture(100, 60, () => [255, 255, 255]);
    for (const factor of [0.85, 0.9, 1]) {
      const small = shrunkOnCanvas(white, factor, { across: 0.3, down: 1 });
      const lit = small.data.filter((value) => value === 255).length / small.data.length;
      expect(lit).toBeCloseTo(factor ** 2, 2);
      expect(small.data.filter((value) => value === 0).length + lit * small.data.length).toBe(
        small.data.length,
      );
    }
    const corner = shrunkOnCanvas(white, 0.5, { across: 1, down: 1 });
    expect([
      redAt(corner, 0, 0),
      redAt(corner, 99, 59),
      redAt(corner, 50, 30),
      redAt(corner, 49, 30),
    ]).toEqual([0, 255, 255, 0]);
  });
});
