import type { Matrix } from '../../ground/matrix.ts';
import { filled } from './labels.ts';

/** Rows of a feature matrix, ready to be fed. */
export class FeatureRows {
  readonly count: number;
  readonly columns: number;
  readonly #data: Float32Array;

  constructor({ rows, columns, data }: Matrix) {
    this.count = rows;
    this.columns = columns;
    this.#data = Float32Array.from(data);
  }

  /** Some rows, `[batch, columns]`; the last one repeats where they are fewer than the batch. */
  take(items: readonly number[], batch: number): Float32Array {
    const { columns } = this;
    const taken = new Float32Array(batch * columns);
    filled(items, batch).forEach((item, row) => {
      taken.set(this.#data.subarray(item * columns, (item + 1) * columns), row * columns);
    });
    return taken;
  }
}

/** All rows in batches, in order. */
export function inBatches(count: number, batch: number): number[][] {
  return Array.from({ length: Math.ceil(count / batch) }, (_, index) =>
    Array.from({ length: Math.min(batch, count - index * batch) }, (_, row) => index * batch + row),
  );
}
