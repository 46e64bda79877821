import { columnKernel } from './column-kernel.ts';
import { type ColumnSpace, countsAt, FOUND, histogramAt, STEP } from './column-space.ts';
import { CELL_BYTES } from './histogram.ts';

/** What one thread does for a training: for the columns it takes it sums rows into histograms and finds splits. */
export interface ColumnWork {
  /** Takes parts of the step in work until none is left. */
  work(): void;
}

/** @param thread which of the training's threads this is; its finds have a place of their own */
export function columnWork(space: ColumnSpace, thread: number): ColumnWork {
  const { at, columns } = space;
  const { buffer } = space.memory;
  const kernel = columnKernel(space.memory, space);
  const step = new Int32Array(buffer, at.step, STEP.length);
  const foundAt = at.found + 2 * thread * Float64Array.BYTES_PER_ELEMENT * FOUND.length;
  const found = new Float64Array(buffer, foundAt, 2 * FOUND.length);
  const integer = (name: keyof typeof STEP): number => step[STEP[name]] as number;

  const begin = (): void => {
    for (let node = 0; node < 2; node++) {
      const place = node * FOUND.length;
      found[place + FOUND.step] = integer('number');
      found[place + FOUND.gain] = 0;
      found[place + FOUND.column] = -1;
    }
  };
  const perform = (part: number): void => {
    const parts = integer('parts');
    const count = integer('drawn');
    const place = (index: number): number => at.drawn + Int32Array.BYTES_PER_ELEMENT * index;
    const parent = integer('parent');
    kernel.work(
      place(Math.floor((part * count) / parts)),
      place(Math.floor(((part + 1) * count) / parts)),
      at.table,
      at.listed + Int32Array.BYTES_PER_ELEMENT * integer('from'),
      at.listed + Int32Array.BYTES_PER_ELEMENT * integer('to'),
      at.pairs + CELL_BYTES * integer('from'),
      histogramAt(space, integer('child')),
      countsAt(space, integer('child')),
      parent < 0 ? 0 : histogramAt(space, parent),
      parent < 0 ? 0 : countsAt(space, parent),
      at.wanted,
      at.wanted + Int32Array.BYTES_PER_ELEMENT * columns,
      at.nodes,
      foundAt,
    );
  };
  return {
    work() {
      // Parts are counted down; one that was taken says that the step has begun and is not over.
      for (let taken = Atomics.sub(step, STEP.left, 1); taken > 0; taken = Atomics.sub(step, STEP.left, 1)) {
        if (found[FOUND.step] !== integer('number')) begin();
        perform(integer('parts') - taken);
        if (Atomics.sub(step, STEP.pending, 1) === 1) Atomics.notify(step, STEP.pending);
      }
    },
  };
}
