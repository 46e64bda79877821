import type { Box } from './resample.ts';

/** Square windows that slide over a photo, as many of every photo. */
export interface WindowGrid {
  /** Side of a window as a share of the photo's shorter side. */
  readonly side: number;
  /** How many stand side by side along the photo's longer side. */
  readonly across: number;
  /** How many rows of these there are along its shorter side. */
  readonly down: number;
}

/** A part of an axis, in pixels; `end` is outside. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Windows of a photo, evenly spread: the first touch one edge, the last the other, rounded down to whole pixels. Rows
 * run along the longer side, one after another, so that an upright photo has the windows that it has lying on its side.
 * Where a photo is so long that windows would leave gaps, they are lengthened until they touch.
 */
export function windowBoxes({ side, across, down }: WindowGrid, width: number, height: number): Box[] {
  const lies = width >= height;
  const [longer, shorter] = lies ? [width, height] : [height, width];
  const least = Math.max(1, Math.floor(shorter * side + 0.5));
  const columns = spread(longer, across, least);
  return spread(shorter, down, least).flatMap((row) =>
    columns.map((column) => {
      const [x, y] = lies ? [column, row] : [row, column];
      return { left: x.start, top: y.start, right: x.end, bottom: y.end };
    }),
  );
}

/** Spans of an axis that leave no gap, each at least so long. */
function spread(length: number, count: number, least: number): Span[] {
  const long = Math.max(least, Math.ceil(length / count));
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * (length - long)) / Math.max(1, count - 1));
    return { start, end: start + long };
  });
}
