import { describe, expect, it } from 'vitest';
import { viewBoxes, viewCount, viewHalves } from '../../../src/vision/preprocess/views.ts';
import { windowBoxes } from '../../../src/vision/preprocess/windows.ts';

const usual = { side: 2 / 3, across: 5, down: 2 };

/** Lying, upright, square, odd, far longer than windows reach, and tiny. */
const SIZES = [
  [2000, 1000],
  [1000, 2000],
  [1000, 1000],
  [701, 503],
  [97, 1009],
  [5003, 31],
  [4, 2],
  [2, 4],
  [1, 1],
] as const;

const GRIDS = [
  usual,
  { side: 1, across: 3, down: 1 },
  { side: 0.25, across: 9, down: 4 },
  { ...usual, down: 32 },
];

describe('windows', () => {
  it('of the competition photo are ten squares of 667 pixels, row by row, from edge to edge', () => {
    const boxes = windowBoxes(usual, 2000, 1000);
    expect(boxes.map(({ left, top }) => [left, top])).toEqual([
      [0, 0],
      [333, 0],
      [666, 0],
      [999, 0],
      [1333, 0],
      [0, 333],
      [333, 333],
      [666, 333],
      [999, 333],
      [1333, 333],
    ]);
    expect(new Set(boxes.map(({ left, right }) => right - left))).toEqual(new Set([667]));
    expect(new Set(boxes.map(({ top, bottom }) => bottom - top))).toEqual(new Set([667]));
  });

  it.each(SIZES)(
    'of %i × %i pixels are as many, touch all edges, have one size and leave no gap',
    (width, height) => {
      for (const grid of GRIDS) {
        const boxes = windowBoxes(grid, width, height);
        expect(boxes).toHaveLength(grid.across * grid.down);
        expect(viewCount(grid)).toBe(boxes.length);
        expect(Math.min(...boxes.map(({ left }) => left))).toBe(0);
        expect(Math.min(...boxes.map(({ top }) => top))).toBe(0);
        expect(Math.max(...boxes.map(({ right }) => right))).toBe(width);
        expect(Math.max(...boxes.map(({ bottom }) => bottom))).toBe(height);
        expect(
          new Set(boxes.map(({ left, right, top, bottom }) => `${right - left} ${bottom - top}`)).size,
        ).toBe(1);
        const columns = new Set(boxes.flatMap(({ left, right }) => range(left, right)));
        const rows = new Set(boxes.flatMap(({ top, bottom }) => range(top, bottom)));
        expect([columns.size, rows.size]).toEqual([width, height]);
      }
    },
  );

  it('of a photo that is not too long are squares of a share of its shorter side', () => {
    for (const [width, height] of SIZES.slice(0, 4)) {
      for (const { left, right, top, bottom } of windowBoxes(usual, width, height)) {
        expect([right - left, bottom - top]).toEqual(
          new Array(2).fill(Math.round((2 / 3) * Math.min(width, height))),
        );
      }
    }
  });

  it('of a photo longer than they reach are lengthened until they touch', () => {
    const boxes = windowBoxes({ side: 1, across: 3, down: 1 }, 700, 100);
    expect(boxes.map(({ left, right }) => [left, right])).toEqual([
      [0, 234],
      [233, 467],
      [466, 700],
    ]);
  });

  it('of an upright photo are those it has lying on its side', () => {
    for (const grid of GRIDS) {
      const turned = windowBoxes(grid, 701, 503).map(({ left, top, right, bottom }) => ({
        left: top,
        top: left,
        right: bottom,
        bottom: right,
      }));
      expect(windowBoxes(grid, 503, 701)).toEqual(turned);
    }
  });

  it('are views of a photo that is not halved', () => {
    expect(viewBoxes(usual, 61, 37)).toEqual(windowBoxes(usual, 61, 37));
    expect([viewHalves(usual), viewHalves('whole'), viewHalves('halves'), viewHalves('tiles')]).toEqual([
      1, 1, 2, 2,
    ]);
  });
});

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);
