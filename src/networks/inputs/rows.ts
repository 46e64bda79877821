import type { Matrix } from '../../ground/matrix.ts';
import { input, sizeOf } from '../../tensor/index.ts';
import { COVARIATES, covariateInput } from '../heads/covariates.ts';
import { columnsOf, featuresOfRows, type NetworkShape } from '../heads/features.ts';
import { filled } from '../objectives/labels.ts';
import { type Examples, inBatches, type NetworkInput } from './input.ts';

/** Rows predicted at once, and the values they may have together: few rows where those are maps of patches. */
const LARGEST_BATCH = 32;
const BATCH_VALUES = 2 ** 22;

/** Weights below which threads cost more than they bring. */
const LARGE_NETWORK = 2 ** 21;

const FEATURES = 'features';

/** Rows of features, made before. */
export function rowInput(shape: NetworkShape): NetworkInput {
  const columns = columnsOf(shape);
  const atOnce = Math.max(1, Math.min(LARGEST_BATCH, Math.floor(BATCH_VALUES / columns)));
  return {
    atOnce,
    batchFor: () => ({ examples: atOnce, rows: atOnce }),
    graph: () => ({
      features: (batch) => ({
        ...featuresOfRows(input(FEATURES, [batch, columns]), shape),
        ...covariateInput(shape, batch),
      }),
      scope: null,
      rates: [],
      precision: 'float32',
      options(heads) {
        const weights = heads.reduce((sum, parameter) => sum + sizeOf(parameter.shape), 0);
        // A step of a small network is shorter than waking a second thread.
        return weights < LARGE_NETWORK ? { threads: 1 } : {};
      },
    }),
  };
}

/** Rows of a feature matrix as examples, with covariates where they are shown; nothing of them is augmented. */
export function rowExamples(matrix: Matrix, covariates: Matrix | null): Examples {
  const take = rowReader(matrix);
  const beside = covariates && rowReader(covariates);
  const feeds = (items: readonly number[], batch: number): Record<string, Float32Array> => ({
    [FEATURES]: take(items, batch),
    ...(beside && { [COVARIATES]: beside(items, batch) }),
  });
  return {
    count: matrix.rows,
    async *batches(batch) {
      for (const items of inBatches(matrix.rows, batch)) {
        yield { items, feeds: feeds(items, batch) };
      }
    },
    drawn: async (items, batch) => ({ feeds: feeds(items, batch) }),
  };
}

/** Reads some rows of a matrix, `[batch, columns]`; the last one repeats where they are fewer than the batch. */
export function rowReader({
  columns,
  data,
}: Matrix): (items: readonly number[], batch: number) => Float32Array {
  const values = Float32Array.from(data);
  return (items, batch) => {
    const taken = new Float32Array(batch * columns);
    filled(items, batch).forEach((item, row) => {
      taken.set(values.subarray(item * columns, (item + 1) * columns), row * columns);
    });
    return taken;
  };
}
