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

/**
 * Cuts every column of the training rows into bins at quantiles. A column of few distinct values gets a bin a
 * value; otherwise bins hold about as many rows each. Bounds lie half way between neighbouring values.
 */
export function binColumns(matrix: Matrix, rules: BinRules): ColumnBins[] {
  const bins: ColumnBins[] = [];
  visitColumns(matrix, (values, column) => {
    if (rules.categorical.has(column)) bins.push(categoricalBins(values, column, rules.maxBin));
    else bins.push(numericBins(rules.single ? values.map(Math.fround) : values, rules));
  });
  return bins;
}

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

/** Replaces values by bins. The matrix must have the columns that `columns` describe. */
export function binMatrix(matrix: Matrix, columns: readonly ColumnBins[]): BinnedMatrix {
  const { rows } = matrix;
  const offsets = new Int32Array(columns.length + 1);
  columns.forEach((column, index) => {
    offsets[index + 1] = (offsets[index] as number) + binCount(column);
  });
  const widest = columns.reduce((most, column) => Math.max(most, binCount(column)), 0);
  const bins = widest <= 256 ? new Uint8Array(rows * columns.length) : new Uint16Array(rows * columns.length);
  visitColumns(matrix, (values, index) => {
    const column = columns[index] as ColumnBins;
    const own = bins.subarray(index * rows, (index + 1) * rows);
    if (column.kind === 'categorical') {
      const lookup = codeLookup(column);
      for (let row = 0; row < rows; row++) own[row] = lookup.get(Math.trunc(values[row] as number)) ?? 0;
    } else for (let row = 0; row < rows; row++) own[row] = numericBin(column, values[row] as number);
  });
  return { rows, columns, bins, offsets };
}

/** Number of bins of a column, that of missing values included. */
export function binCount(column: ColumnBins): number {
  if (column.kind === 'categorical') return column.codes.length + 1;
  return column.bounds.length + 1 + (column.missing === 'last' ? 1 : 0);
}

/** The bin a number falls in. */
export function numericBin({ bounds, missing }: NumericBins, value: number): number {
  if (Number.isNaN(value)) return missing === 'last' ? bounds.length + 1 : 0;
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function withoutMissing(values: Float64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  let count = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (!Number.isNaN(value)) numbers[count++] = value;
  }
  return numbers.subarray(0, count);
}

/** Fewer numbers are sorted sooner by comparing them. */
const RADIX_FROM = 1000;
const DIGIT_BITS = 11;

/** Numbers without NaN in ascending order, −0 before 0. */
function sorted(numbers: Float64Array): Float64Array {
  if (numbers.length < RADIX_FROM) return numbers.sort();
  // Digit by digit from the lowest, on the bits of the numbers, turned so that their order is that of whole numbers.
  const words = new Uint32Array(
    numbers.buffer.slice(numbers.byteOffset, numbers.byteOffset + numbers.byteLength),
  );
  const low = new Uint32Array(numbers.length);
  const high = new Uint32Array(numbers.length);
  for (let at = 0; at < numbers.length; at++) {
    const upper = words[2 * at + 1] as number;
    const negative = upper >>> 31 === 1;
    low[at] = negative ? ~(words[2 * at] as number) : (words[2 * at] as number);
    high[at] = negative ? ~upper : upper | 0x80000000;
  }
  let order = new Uint32Array(numbers.length);
  for (let at = 0; at < order.length; at++) order[at] = at;
  let next = new Uint32Array(numbers.length);
  const starts = new Uint32Array(1 << DIGIT_BITS);
  for (const word of [low, high]) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      starts.fill(0);
      const digitOf = (at: number): number => ((word[at] as number) >>> shift) & (starts.length - 1);
      for (let at = 0; at < word.length; at++) {
        const digit = digitOf(at);
        starts[digit] = (starts[digit] as number) + 1;
      }
      // Numbers of single precision have the same lowest digits.
      if (starts[digitOf(0)] === word.length) continue;
      let start = 0;
      for (let digit = 0; digit < starts.length; digit++) {
        const count = starts[digit] as number;
        starts[digit] = start;
        start += count;
      }
      for (let at = 0; at < order.length; at++) {
        const place = order[at] as number;
        const digit = digitOf(place);
        const to = starts[digit] as number;
        next[to] = place;
        starts[digit] = to + 1;
      }
      [order, next] = [next, order];
    }
  }
  const ascending = new Float64Array(numbers.length);
  for (let at = 0; at < order.length; at++) ascending[at] = numbers[order[at] as number] as number;
  return ascending;
}

function numericBins(values: Float64Array, rules: BinRules): NumericBins {
  const numbers = sorted(withoutMissing(values));
  const hasMissing = numbers.length < values.length;
  const missing: MissingBin = !hasMissing ? 'none' : rules.single ? 'lowest' : 'last';
  const bounds = quantileBounds(numbers, rules.maxBin - (hasMissing ? 1 : 0), rules);
  return {
    kind: 'numeric',
    bounds: Float64Array.from(missing === 'lowest' ? [LOWEST_SINGLE, ...bounds] : bounds),
    missing,
    range: [numbers[0] ?? 0, numbers.at(-1) ?? 0],
  };
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
function categoricalBins(values: Float64Array, column: number, maxBin: number): CategoricalBins {
  const counts = new Map<number, number>();
  for (const value of values) {
    if (Number.isNaN(value) || value < 0) continue;
    const code = categoryCode(value, column);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([a, many], [b, more]) => more - many || a - b);
  return { kind: 'categorical', codes: Int32Array.from(byCount.slice(0, maxBin - 1), ([code]) => code) };
}

function codeLookup({ codes }: CategoricalBins): Map<number, number> {
  return new Map(Array.from(codes, (code, index) => [code, index + 1]));
}
