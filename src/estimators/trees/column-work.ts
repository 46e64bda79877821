import { type ColumnSpace, countsAt, FOUND, histogramAt, STEP, SUMS, WANTED } from './column-space.ts';
import { CELL_BYTES, COUNT_BYTES, histogramKernel } from './histogram.ts';
import { NOTHING, type NodeSums, noSplit, searchNumeric } from './split.ts';

/** What one thread does for a training: for the columns it takes it sums rows into histograms and finds splits. */
export interface ColumnWork {
  /** Takes parts of the step in work until none is left. */
  work(): void;
}

/** @param thread which of the training's threads this is; its finds have a place of their own */
export function columnWork(space: ColumnSpace, thread: number): ColumnWork {
  const { at, columns, rules } = space;
  const { buffer } = space.memory;
  const kernel = histogramKernel(space.memory, space.binBytes);
  const integers = (start: number, length: number) => new Int32Array(buffer, start, length);
  const numbers = new Float64Array(buffer);
  const step = integers(at.step, STEP.length);
  const offsets = integers(at.offsets, columns + 1);
  const bounds = integers(at.bounds, columns);
  const missing = integers(at.missing, columns);
  const drawn = integers(at.drawn, columns);
  const wanted = integers(at.wanted, 2 * columns);
  const doubles = (start: number, length: number) => new Float64Array(buffer, start, length);
  const sums = doubles(at.sums, 2 * SUMS.length);
  const foundBytes = Float64Array.BYTES_PER_ELEMENT * FOUND.length;
  const found = doubles(at.found + 2 * thread * foundBytes, 2 * FOUND.length);
  const best = [noSplit(), noSplit()] as const;
  let nodes: readonly [NodeSums, NodeSums] = [NOTHING, NOTHING];
  let known = 0;
  const sumsOf = (node: 0 | 1): NodeSums => ({
    gradient: sums[node * SUMS.length + SUMS.gradient] as number,
    hessian: sums[node * SUMS.length + SUMS.hessian] as number,
    count: sums[node * SUMS.length + SUMS.count] as number,
  });

  const fill = (column: number): void => {
    const histogram = step[STEP.child] as number;
    const first = offsets[column] as number;
    const past = offsets[column + 1] as number;
    const from = step[STEP.from] as number;
    const rows = at.listed + Int32Array.BYTES_PER_ELEMENT * from;
    const end = at.listed + Int32Array.BYTES_PER_ELEMENT * (step[STEP.to] as number);
    const pairs = at.pairs + CELL_BYTES * from;
    const bins = at.bins + space.binBytes * space.rows * column;
    const start = histogramAt(space, histogram) + CELL_BYTES * first;
    const startPast = histogramAt(space, histogram) + CELL_BYTES * past;
    if (space.counted) {
      const counts = countsAt(space, histogram) + COUNT_BYTES * first;
      const countsPast = countsAt(space, histogram) + COUNT_BYTES * past;
      kernel.countRows(rows, end, pairs, bins, start, startPast, counts, countsPast);
    } else kernel.sumRows(rows, end, pairs, bins, start, startPast);
  };
  const subtract = (column: number): void => {
    const first = offsets[column] as number;
    const past = offsets[column + 1] as number;
    const parent = step[STEP.parent] as number;
    const child = step[STEP.child] as number;
    const start = histogramAt(space, parent) + CELL_BYTES * first;
    const end = histogramAt(space, parent) + CELL_BYTES * past;
    kernel.subtract(start, end, histogramAt(space, child) + CELL_BYTES * first);
    if (!space.counted) return;
    const more = COUNT_BYTES / Float64Array.BYTES_PER_ELEMENT;
    const from = countsAt(space, parent) / COUNT_BYTES;
    const what = countsAt(space, child) / COUNT_BYTES;
    for (let cell = more * first; cell < more * past; cell++) {
      numbers[from + cell] = (numbers[from + cell] as number) - (numbers[what + cell] as number);
    }
  };
  const search = (node: 0 | 1, histogram: number, column: number): void => {
    const only = wanted[node * columns + column] as number;
    if (only === WANTED.none) return;
    const first = offsets[column] as number;
    const start = (histogramAt(space, histogram) + CELL_BYTES * first) / Float64Array.BYTES_PER_ELEMENT;
    const counts = space.counted ? countsAt(space, histogram) / COUNT_BYTES + first : -1;
    searchNumeric(
      best[node],
      numbers,
      start,
      counts,
      column,
      bounds[column] as number,
      missing[column] === 1,
      nodes[node],
      rules,
      only,
    );
  };

  const perform = (part: number): void => {
    const parts = step[STEP.parts] as number;
    const count = step[STEP.drawn] as number;
    const parent = step[STEP.parent] as number;
    const end = Math.floor(((part + 1) * count) / parts);
    for (let index = Math.floor((part * count) / parts); index < end; index++) {
      const column = drawn[index] as number;
      fill(column);
      if (parent >= 0) subtract(column);
      if ((bounds[column] as number) < 0) continue;
      search(0, step[STEP.child] as number, column);
      if (parent >= 0) search(1, parent, column);
    }
  };
  const tell = (node: 0 | 1): void => {
    const { gain, column, bin, missingLeft, left } = best[node];
    found.set(
      [known, gain, column, bin, missingLeft ? 1 : 0, left.gradient, left.hessian, left.count],
      node * FOUND.length,
    );
  };
  return {
    work() {
      // Parts are counted down; one that was taken says that the step has begun and is not over.
      for (let taken = Atomics.sub(step, STEP.left, 1); taken > 0; taken = Atomics.sub(step, STEP.left, 1)) {
        if (known !== step[STEP.number]) {
          known = step[STEP.number] as number;
          nodes = [sumsOf(0), sumsOf(1)];
          Object.assign(best[0], noSplit());
          Object.assign(best[1], noSplit());
        }
        perform((step[STEP.parts] as number) - taken);
        tell(0);
        tell(1);
        if (Atomics.sub(step, STEP.pending, 1) === 1) Atomics.notify(step, STEP.pending);
      }
    },
  };
}
