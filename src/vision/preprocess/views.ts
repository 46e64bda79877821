import type { Box } from './resample.ts';

/**
 * How a photo is cut before it goes through a backbone: not at all, into left and right half, or each half
 * into 2 × 2 tiles.
 */
export const VIEW_PLANS = ['whole', 'halves', 'tiles'] as const;
export type ViewPlan = (typeof VIEW_PLANS)[number];

export const TILES_A_HALF = 4;

/** Views of one photo in a fixed order: left half before right half, tiles row by row. */
export function viewBoxes(plan: ViewPlan, width: number, height: number): Box[] {
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (plan === 'whole') return [whole];
  const halves = grid(whole, 2, 1);
  return plan === 'halves' ? halves : halves.flatMap((half) => grid(half, 2, 2));
}

/** How many views a plan takes of a photo. */
export function viewCount(plan: ViewPlan): number {
  return viewBoxes(plan, 4, 2).length;
}

/** Splits a box into columns × rows; where it does not divide evenly the last ones are larger by a pixel. */
function grid(box: Box, columns: number, rows: number): Box[] {
  const x = (column: number): number => box.left + Math.floor(((box.right - box.left) * column) / columns);
  const y = (row: number): number => box.top + Math.floor(((box.bottom - box.top) * row) / rows);
  return Array.from({ length: rows * columns }, (_, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns);
    return { left: x(column), top: y(row), right: x(column + 1), bottom: y(row + 1) };
  });
}
