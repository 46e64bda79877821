import type { Size } from './backbone.ts';

/** How a map of tokens is cut into windows; all in tokens, rows first. */
export interface WindowLayout {
  /** The map itself. */
  readonly map: Size;
  /** The map with what has to be added below and to the right so that windows tile it. */
  readonly padded: Size;
  readonly window: Size;
  /** How far the map is rolled up and to the left before it is cut. */
  readonly shift: Size;
}

const both = <T>(make: (axis: 0 | 1) => T): readonly [T, T] => [make(0), make(1)];

/**
 * Windows of a block, by the rule of timm's `SwinTransformerV2Block`: a window never exceeds the map it was
 * made for, and where one covers an axis nothing is shifted along it.
 *
 * @param madeFor the map the network was made for, which decides; windows are then used on `map`
 */
export function layOutWindows(map: Size, madeFor: Size, target: Size, shifted: boolean): WindowLayout {
  const window = both((axis) => Math.min(madeFor[axis], target[axis]));
  return {
    map,
    window,
    padded: both((axis) => Math.ceil(map[axis] / window[axis]) * window[axis]),
    shift: both((axis) => (shifted && madeFor[axis] > window[axis] ? Math.floor(target[axis] / 2) : 0)),
  };
}

/** The number of windows. */
export const windowCount = ({ padded, window }: WindowLayout): number =>
  (padded[0] / window[0]) * (padded[1] / window[1]);

/**
 * Where the tokens of the windows come from: for each, window after window, its place in the padded map before
 * rolling. Rolling happens before padding, as in timm, so places that were added stay where they are.
 */
export function windowOrder(layout: WindowLayout): number[] {
  const [rows, columns] = both((axis) =>
    Array.from({ length: layout.padded[axis] }, (_, at) =>
      at < layout.map[axis] ? (at + layout.shift[axis]) % layout.map[axis] : at,
    ),
  );
  return eachToken(
    layout,
    (row, column) => (rows[row] as number) * layout.padded[1] + (columns[column] as number),
  );
}

/**
 * What is added to the scores of a shifted block: −100 between tokens that only rolling made neighbours.
 * `[windows, 1, tokens, tokens]`, row-major; undefined where nothing is shifted.
 */
export function shiftMask(layout: WindowLayout): Float32Array | undefined {
  if (layout.shift[0] === 0 && layout.shift[1] === 0) return undefined;
  const strip = (at: number, axis: 0 | 1): number => {
    if (layout.shift[axis] === 0) return 0;
    if (at < layout.padded[axis] - layout.window[axis]) return 0;
    return at < layout.padded[axis] - layout.shift[axis] ? 1 : 2;
  };
  const regions = eachToken(layout, (row, column) => 3 * strip(row, 0) + strip(column, 1));
  const tokens = layout.window[0] * layout.window[1];
  const mask = new Float32Array(regions.length * tokens);
  for (let query = 0; query < regions.length; query++) {
    const start = query - (query % tokens);
    for (let key = 0; key < tokens; key++) {
      if (regions[query] !== regions[start + key]) mask[query * tokens + key] = -100;
    }
  }
  return mask;
}

/** One number for every token of every window, from its place in the rolled and padded map. */
function eachToken({ padded, window }: WindowLayout, of: (row: number, column: number) => number): number[] {
  const result: number[] = [];
  for (let top = 0; top < padded[0]; top += window[0]) {
    for (let left = 0; left < padded[1]; left += window[1]) {
      for (let row = top; row < top + window[0]; row++) {
        for (let column = left; column < left + window[1]; column++) result.push(of(row, column));
      }
    }
  }
  return result;
}

/**
 * Log-spaced offsets between the tokens of a window, from the largest to the smallest along each axis (SwinV2,
 * equation 4): 8 at the far end of the window of pretraining, then sign·log₂(1 + |offset|) / log₂ 8.
 *
 * @param pretrained the window of pretraining; 0: the window itself
 * @returns `[2·rows − 1, 2·columns − 1, 2]`, row-major
 */
export function relativeCoordinates(window: Size, pretrained: number): Float32Array {
  const along = (axis: 0 | 1): number[] => {
    const far = (pretrained > 0 ? pretrained : window[axis]) - 1;
    return Array.from({ length: 2 * window[axis] - 1 }, (_, at) => {
      const offset = window[axis] - 1 - at;
      const scaled = offset === 0 ? 0 : (8 * offset) / far;
      return (Math.sign(scaled) * Math.log2(Math.abs(scaled) + 1)) / Math.log2(8);
    });
  };
  const columns = along(1);
  return Float32Array.from(along(0).flatMap((row) => columns.flatMap((column) => [row, column])));
}
