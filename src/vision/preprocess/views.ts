import type { Box } from './resample.ts';
import { type WindowGrid, windowBoxes } from './windows.ts';

/**
 * How a photo is cut before it goes through a backbone without leaving or repeating anything: not at all, into left
 * and right half, or each half into 2 × 2 tiles.
 */
export const DISJOINT_VIEWS = ['whole', 'halves', 'tiles'] as const;

/** These, or square windows that overlap and have settings of their own. */
export const VIEW_PLANS = [...DISJOINT_VIEWS, 'windows'] as const;
export type ViewPlan = (typeof VIEW_PLANS)[number];

/** A plan with all there is to know of it. */
export type ViewCut = (typeof DISJOINT_VIEWS)[number] | WindowGrid;

/**
 * Views of one photo in a fixed order: left half before right half, tiles row by row, windows as `windowBoxes` has
 * them.
 */
export function viewBoxes(cut: ViewCut, width: number, height: number): Box[] {
  if (typeof cut === 'object') return windowBoxes(cut, width, height);
  const whole = { left: 0, top: 0, right: width, bottom: height };
  if (cut === 'whole') return [whole];
  const halves = grid(whole, 2, 1);
  return cut === 'halves' ? halves : halves.flatMap((half) => grid(half, 2, 2));
}

/** How many views a cut makes of a photo, whatever its size. */
export function viewCount(cut: ViewCut): number {
  return viewBoxes(cut, 4, 2).length;
}

/** Of how many halves, one after another, the views are: one where the photo is not halved. */
export function viewHalves(cut: ViewCut): 1 | 2 {
  return cut === 'halves' || cut === 'tiles' ? 2 : 1;
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
