import type { BinnedMatrix } from './bins.ts';

/**
 * Sums over the rows of a node, bin by bin: cell c has the gradients' sum at `sums[2c]` and the Hessians' at
 * `sums[2c + 1]`. Where every Hessian is 1 the latter is the number of rows and `counts` is null.
 */
export interface Histogram {
  readonly sums: Float64Array;
  readonly counts: Float64Array | null;
}

/** First and second derivatives of the loss, one a row; `hessians` is null where all are 1. */
export interface Derivatives {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array | null;
}

/** A histogram of zeros for `cells` cells. */
export function emptyHistogram(cells: number, unitHessians: boolean): Histogram {
  return {
    sums: new Float64Array(2 * cells),
    counts: unitHessians ? null : new Float64Array(cells),
  };
}

/**
 * Overwrites the cells of the given columns with the sums over `rows[from … to)`.
 *
 * @param ordered scratch space of at least 2 · rows numbers
 */
export function fillHistogram(
  histogram: Histogram,
  binned: BinnedMatrix,
  columns: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
  derivatives: Derivatives,
  ordered: Float64Array,
): void {
  const { gradients, hessians } = derivatives;
  const { sums, counts } = histogram;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    ordered[2 * at] = gradients[row] as number;
    ordered[2 * at + 1] = hessians ? (hessians[row] as number) : 1;
  }
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as number;
    const start = binned.offsets[column] as number;
    const end = binned.offsets[column + 1] as number;
    sums.fill(0, 2 * start, 2 * end);
    if (counts) {
      counts.fill(0, start, end);
      addWithCounts(sums, counts, start, binned.bins, column * binned.rows, rows, from, to, ordered);
    } else {
      addSums(sums, 2 * start, binned.bins, column * binned.rows, rows, from, to, ordered);
    }
  }
}

/** Turns the histogram of a node into that of one child by taking away the other child's. */
export function subtractHistogram(
  parent: Histogram,
  child: Histogram,
  binned: BinnedMatrix,
  columns: Int32Array,
): void {
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as number;
    const start = binned.offsets[column] as number;
    const end = binned.offsets[column + 1] as number;
    subtract(parent.sums, child.sums, 2 * start, 2 * end);
    if (parent.counts && child.counts) subtract(parent.counts, child.counts, start, end);
  }
}

function subtract(from: Float64Array, what: Float64Array, start: number, end: number): void {
  for (let cell = start; cell < end; cell++) from[cell] = (from[cell] as number) - (what[cell] as number);
}

function addSums(
  sums: Float64Array,
  base: number,
  bins: Uint8Array | Uint16Array,
  columnStart: number,
  rows: Int32Array,
  from: number,
  to: number,
  ordered: Float64Array,
): void {
  for (let at = from; at < to; at++) {
    const cell = base + 2 * (bins[columnStart + (rows[at] as number)] as number);
    sums[cell] = (sums[cell] as number) + (ordered[2 * at] as number);
    sums[cell + 1] = (sums[cell + 1] as number) + (ordered[2 * at + 1] as number);
  }
}

function addWithCounts(
  sums: Float64Array,
  counts: Float64Array,
  start: number,
  bins: Uint8Array | Uint16Array,
  columnStart: number,
  rows: Int32Array,
  from: number,
  to: number,
  ordered: Float64Array,
): void {
  for (let at = from; at < to; at++) {
    const cell = start + (bins[columnStart + (rows[at] as number)] as number);
    sums[2 * cell] = (sums[2 * cell] as number) + (ordered[2 * at] as number);
    sums[2 * cell + 1] = (sums[2 * cell + 1] as number) + (ordered[2 * at + 1] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
}
