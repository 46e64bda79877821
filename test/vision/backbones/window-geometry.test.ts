import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  layOutWindows,
  relativeCoordinates,
  shiftMask,
  type WindowLayout,
  windowCount,
  windowOrder,
} from '../../../src/vision/backbones/window-geometry.ts';

const layouts = fc
  .record({
    map: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    madeFor: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    target: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    shifted: fc.boolean(),
  })
  .map(({ map, madeFor, target, shifted }) => layOutWindows(map, madeFor, target, shifted));

/** Where the token at a place of the rolled and padded map lay before. */
const origin = ({ map, shift }: WindowLayout, axis: 0 | 1, at: number): number =>
  at < map[axis] ? (at + shift[axis]) % map[axis] : at;

describe('windows of a map', () => {
  it('are those of SwinV2-B at 256 pixels: shifted by 8 in the first two stages, whole maps after', () => {
    const stages = [64, 32, 16, 8].map((side) => layOutWindows([side, side], [side, side], [16, 16], true));
    expect(stages.map(({ window }) => window[0])).toEqual([16, 16, 16, 8]);
    expect(stages.map(({ shift }) => shift[0])).toEqual([8, 8, 0, 0]);
    expect(stages.map(windowCount)).toEqual([16, 4, 1, 1]);
  });

  it('are shifted along the longer side only where one window covers the shorter', () => {
    const layout = layOutWindows([8, 16], [8, 16], [8, 8], true);
    expect(layout.shift).toEqual([0, 4]);
  });

  it('stay as they were laid out when another map comes, which is filled up', () => {
    const layout = layOutWindows([22, 26], [16, 16], [4, 4], false);
    expect(layout.window).toEqual([4, 4]);
    expect(layout.padded).toEqual([24, 28]);
    expect(windowCount(layout)).toBe(42);
  });

  it('hold every token of the filled map once', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const order = windowOrder(layout);
        expect([...order].sort((a, b) => a - b)).toEqual(order.map((_, i) => i));
        expect(order.length).toBe(windowCount(layout) * layout.window[0] * layout.window[1]);
      }),
    );
  });

  it('hold tokens that are neighbours in the rolled map', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const [rows, columns] = layout.window;
        const across = layout.padded[1] / columns;
        windowOrder(layout).forEach((from, place) => {
          const within = place % (rows * columns);
          const window = Math.floor(place / (rows * columns));
          const row = Math.floor(window / across) * rows + Math.floor(within / columns);
          const column = (window % across) * columns + (within % columns);
          expect(from).toBe(origin(layout, 0, row) * layout.padded[1] + origin(layout, 1, column));
        });
      }),
    );
  });
});

describe('the mask of shifted windows', () => {
  it('is there exactly where something is shifted', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        expect(shiftMask(layout) !== undefined).toBe(layout.shift[0] > 0 || layout.shift[1] > 0);
      }),
    );
  });

  it('forbids what only rolling brought together, where windows tile the map', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), (side, times) => {
        const window = 2 * side;
        const map = [window * (times + 1), window * times] as const;
        const layout = layOutWindows(map, map, [window, window], true);
        const mask = shiftMask(layout);
        const order = windowOrder(layout);
        const tokens = window * window;
        const place = (token: number): [number, number] => [Math.floor(token / map[1]), token % map[1]];
        const wrong = mask?.filter((value, index) => {
          const query = Math.floor(index / tokens);
          const key = query - (query % tokens) + (index % tokens);
          const [a, b] = [place(order[query] as number), place(order[key] as number)];
          const apart = Math.abs(a[0] - b[0]) >= window || Math.abs(a[1] - b[1]) >= window;
          return value !== (apart ? -100 : 0);
        });
        expect(wrong).toHaveLength(0);
      }),
    );
  });
});

describe('relative coordinates', () => {
  it('run from the largest offset to the smallest and are log-spaced', () => {
    const table = relativeCoordinates([3, 2], 0);
    const at = (row: number, column: number): number[] => [
      ...table.slice(2 * (3 * row + column), 2 * (3 * row + column) + 2),
    ];
    const end = Math.log2(9) / 3;
    expect(table.length).toBe(5 * 3 * 2);
    expect(at(0, 0)[0]).toBeCloseTo(end, 6);
    expect(at(0, 0)[1]).toBeCloseTo(end, 6);
    expect(at(2, 1)).toEqual([0, 0]);
    expect(at(1, 2)[0]).toBeCloseTo(Math.log2(5) / 3, 6);
    expect(at(1, 2)[1]).toBeCloseTo(-end, 6);
  });

  it('measure with the window of pretraining where there is one', () => {
    const table = relativeCoordinates([16, 16], 12);
    expect(table[0]).toBeCloseTo(Math.log2(1 + (15 / 11) * 8) / 3, 6);
    expect(table.length).toBe(31 * 31 * 2);
  });

  it('are all zero for a window of one token', () => {
    expect([...relativeCoordinates([1, 1], 0)]).toEqual([0, 0]);
  });
});
