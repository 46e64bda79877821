import type { Matrix } from '../../ground/matrix.ts';
import { categoryCode } from './categories.ts';

/** Where a value that is missing (NaN) goes: no bin of its own, the bin after all others, or the lowest. */
type MissingBin = 'none' | 'last' | 'lowest';

/** Bins of a numeric column: bin b holds `bounds[b − 1] < x ≤ bounds[b]`; the last one has no upper bound. */
export interface NumericBins {
  readonly kind: 'numeric';
  /** Ascending. */
  readonly bounds: Float64Array;
  readonly missing: MissingBin;
  /** Smallest and largest value seen. */
  readonly range: readonly [number, number];
}

/** Bins of a categorical column: bin b ≥ 1 holds `codes[b − 1]`; bin 0 everything missing or not seen. */
export interface CategoricalBins {
  readonly kind: 'categorical';
  readonly codes: Int32Array;
}

export type ColumnBins = NumericBins | CategoricalBins;

/** A matrix with every value replaced by its bin, column by column: `bins[column * rows + row]`. */
export interface BinnedMatrix {
  readonly rows: number;
  readonly columns: readonly ColumnBins[];
  readonly bins: Uint8Array | Uint16Array;
  /** First histogram cell of each column; the last entry is the number of cells. */
  readonly offsets: Int32Array;
}

/** How columns are cut into bins. */
export interface BinRules {
  /** Most bins a column may have. */
  readonly maxBin: number;
  /** Fewest training rows a bin should hold. */
  readonly minDataInBin: number;
  /** Columns whose values are codes of categories, not amounts. */
  readonly categorical: ReadonlySet<number>;
  /** Whether bounds are rounded to single precision, as in CatBoost, and NaN counts as the smallest value. */
  readonly single: boolean;
}

/** Below every single-precision number but infinity: the border that parts NaN from all numbers. */
const LOWEST_SINGLE = -3.4028234663852886e38;

/** Columns that are read together: a cache line of a row has the values of so many. */
const TOGETHER = 8;

/** Gives the values of every column in turn; they are overwritten by the next ones. */
function visitColumns(
  { rows, columns, data }: Matrix,
  visit: (values: Float64Array, column: number) => void,
): void {
  const block = new Float64Array(TOGETHER * rows);
  for (let first = 0; first < columns; first += TOGETHER) {
    const count = Math.min(TOGETHER, columns - first);
    for (let row = 0; row < rows; row++) {
      const from = row * columns + first;
      for (let at = 0; at < count; at++) block[at * rows + row] = data[from + at] as number;
    }
    for (let at = 0; at < count; at++) visit(block.subarray(at * rows, (at + 1) * rows), first + at);
  }
}

/**
 * Cuts every column of the training rows into bins at quantiles, and replaces their values by bins. A column of few
 * distinct values gets a bin a value; otherwise bins hold about as many rows each. Bounds lie half way between
 * neighbouring values.
 *
 * @throws InputError when a categorical column holds something else than codes
 */
export function binMatrix(matrix: Matrix, rules: BinRules): BinnedMatrix {
  const { rows } = matrix;
  const columns: ColumnBins[] = [];
  const offsets = new Int32Array(matrix.columns + 1);
  const bins = new (rules.maxBin <= BYTE_BINS ? Uint8Array : Uint16Array)(rows * matrix.columns);
  const orderOf = ascendingOrder(rows);
  visitColumns(matrix, (values, index) => {
    const own = bins.subarray(index * rows, (index + 1) * rows);
    const column = rules.categorical.has(index)
      ? binCategories(values, index, rules, own)
      : binNumbers(values, orderOf(values), rules, own);
    offsets[index + 1] = (offsets[index] as number) + binCount(column);
    columns.push(column);
  });
  const narrow = bins instanceof Uint16Array && columns.every((column) => binCount(column) <= BYTE_BINS);
  return { rows, columns, bins: narrow ? Uint8Array.from(bins) : bins, offsets };
}

/** Most bins whose numbers are bytes. */
const BYTE_BINS = 256;

/** Number of bins of a column, that of missing values included. */
export function binCount(column: ColumnBins): number {
  if (column.kind === 'categorical') return column.codes.length + 1;
  return column.bounds.length + 1 + (column.missing === 'last' ? 1 : 0);
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/**
 * Sorts columns of `rows` numbers; the function returned gives the rows of those that are not NaN in ascending order,
 * −0 before 0, until it is called again. Digit by digit from the lowest, on the bits of the numbers, turned so that
 * their order is that of whole numbers; those of single precision have half as many.
 */
function ascendingOrder(rows: number): (values: Float64Array) => Uint32Array {
  const singles = new Float32Array(rows);
  const bits = new Uint32Array(singles.buffer);
  const doubles = new Float64Array(rows);
  const words = new Uint32Array(doubles.buffer);
  const low = new Uint32Array(rows);
  const high = new Uint32Array(rows);
  let order = new Uint32Array(rows);
  let orderNext = new Uint32Array(rows);
  let keys = new Uint32Array(rows);
  let keysNext = new Uint32Array(rows);
  const starts = new Uint32Array(DIGITS);

  /** Sorts the first rows of the order by a word, rows of the same word staying as they are. */
  const sortBy = (word: Uint32Array, count: number): void => {
    for (let at = 0; at < count; at++) keys[at] = word[order[at] as number] as number;
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      starts.fill(0);
      for (let at = 0; at < count; at++) {
        const digit = ((keys[at] as number) >>> shift) & (DIGITS - 1);
        starts[digit] = (starts[digit] as number) + 1;
      }
      const [first = 0] = keys;
      if (starts[(first >>> shift) & (DIGITS - 1)] === count) continue;
      let start = 0;
      for (let digit = 0; digit < DIGITS; digit++) {
        const inDigit = starts[digit] as number;
        starts[digit] = start;
        start += inDigit;
      }
      for (let at = 0; at < count; at++) {
        const key = keys[at] as number;
        const digit = (key >>> shift) & (DIGITS - 1);
        const to = starts[digit] as number;
        starts[digit] = to + 1;
        keysNext[to] = key;
        orderNext[to] = order[at] as number;
      }
      [keys, keysNext] = [keysNext, keys];
      [order, orderNext] = [orderNext, order];
    }
  };
  const orderedWord = (word: number): number => word ^ (word >>> 31 === 1 ? 0xffffffff : 0x80000000);
  return (values) => {
    let count = 0;
    let areSingle = true;
    singles.set(values);
    for (let row = 0; row < rows; row++) {
      const value = values[row] as number;
      if (Number.isNaN(value)) continue;
      order[count++] = row;
      areSingle &&= singles[row] === value;
    }
    if (areSingle) for (let row = 0; row < rows; row++) high[row] = orderedWord(bits[row] as number);
    else {
      doubles.set(values);
      for (let row = 0; row < rows; row++) {
        const upper = words[2 * row + 1] as number;
        low[row] = upper >>> 31 === 1 ? ~(words[2 * row] as number) : (words[2 * row] as number);
        high[row] = orderedWord(upper);
      }
      sortBy(low, count);
    }
    sortBy(high, count);
    return order.subarray(0, count);
  };
}

/** @param order rows of the numbers that are not NaN, ascending @param own where the rows' bins go */
function binNumbers(
  values: Float64Array,
  order: Uint32Array,
  rules: BinRules,
  own: Uint8Array | Uint16Array,
): NumericBins {
  const numbers = new Float64Array(order.length);
  for (let at = 0; at < order.length; at++) numbers[at] = values[order[at] as number] as number;
  const hasMissing = numbers.length < values.length;
  const missing: MissingBin = !hasMissing ? 'none' : rules.single ? 'lowest' : 'last';
  const cut = quantileBounds(numbers, rules.maxBin - (hasMissing ? 1 : 0), rules);
  const bounds = Float64Array.from(missing === 'lowest' ? [LOWEST_SINGLE, ...cut] : cut);
  own.fill(missing === 'last' ? bounds.length + 1 : 0);
  let bin = 0;
  for (let at = 0; at < order.length; at++) {
    const value = numbers[at] as number;
    while (bin < bounds.length && value > (bounds[bin] as number)) bin++;
    own[order[at] as number] = bin;
  }
  return { kind: 'numeric', bounds, missing, range: [numbers[0] ?? 0, numbers.at(-1) ?? 0] };
}

/** Bounds between at most `limit` bins, each closed as soon as it holds its share of the rows that are left. */
function quantileBounds(sorted: Float64Array, limit: number, rules: BinRules): number[] {
  const bounds: number[] = [];
  let inBin = 0;
  let left = sorted.length;
  let distinct = 0;
  for (let at = 0; at < sorted.length; at++) if (at === 0 || sorted[at] !== sorted[at - 1]) distinct++;
  for (let at = 0; at + 1 < sorted.length; at++) {
    inBin++;
    const here = sorted[at] as number;
    const next = sorted[at + 1] as number;
    if (next === here) continue;
    const binsLeft = limit - bounds.length;
    if (binsLeft <= 1) break;
    const share = distinct <= limit ? 1 : left / binsLeft;
    if (inBin < Math.max(rules.minDataInBin, share)) continue;
    bounds.push(halfWay(here, next, rules.single));
    left -= inBin;
    inBin = 0;
  }
  return bounds;
}

/** A number m with `low ≤ m < high`. */
function halfWay(low: number, high: number, single: boolean): number {
  const middle = low / 2 + high / 2;
  const rounded = single ? Math.fround(middle) : middle;
  return rounded >= low && rounded < high ? rounded : low;
}

/** The most frequent codes get bins; a column of more codes than `maxBin` leaves the rarest to bin 0. */
function binCategories(
  values: Float64Array,
  column: number,
  { maxBin }: BinRules,
  own: Uint8Array | Uint16Array,
): CategoricalBins {
  const counts = new Map<number, number>();
  for (const value of values) {
    if (Number.isNaN(value) || value < 0) continue;
    const code = categoryCode(value, column);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([a, many], [b, more]) => more - many || a - b);
  const codes = Int32Array.from(byCount.slice(0, maxBin - 1), ([code]) => code);
  const lookup = new Map(Array.from(codes, (code, index) => [code, index + 1]));
  for (let row = 0; row < own.length; row++) own[row] = lookup.get(Math.trunc(values[row] as number)) ?? 0;
  return { kind: 'categorical', codes };
}
