import { readNpyMatrix } from '../../formats/npy/npy.ts';
import { openSafetensors, readTensorAsFloat32 } from '../../formats/safetensors/index.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import {
  concat,
  constant,
  divide,
  matmul,
  maximum,
  mean,
  reshape,
  slice,
  squareRoot,
  sumOfSquares,
  type Tensor,
} from '../../tensor/index.ts';

/**
 * Text embeddings of concepts, `[concepts, width]`: a `.npy`, or a `.safetensors` with a single matrix.
 *
 * @throws InputError when the file cannot be read or holds no such matrix
 */
export async function readConcepts(path: string): Promise<Matrix> {
  if (!path.endsWith('.safetensors')) return readNpyMatrix(path);
  const file = await openSafetensors(path);
  const [entry, another] = [...file.tensors.values()];
  const [rows, columns, more] = entry?.shape ?? [];
  if (!entry || another || rows === undefined || columns === undefined || more !== undefined) {
    throw new InputError(path, 'does not hold one matrix', 'store the embeddings as one [concepts, width]');
  }
  return { rows, columns, data: Float64Array.from(await readTensorAsFloat32(file, entry.name)) };
}

/**
 * Rows whose last `extra` columns, an embedding of the photo, are replaced by its cosines with every concept. Several
 * embeddings one after another (of halves) give the mean of their cosines.
 *
 * @throws UsageError when embeddings and concepts differ in width
 */
export function withConceptScores(inputs: Matrix, extra: number, concepts: Matrix): Matrix {
  const { rows, columns, data } = inputs;
  const { columns: width } = concepts;
  if (extra === 0 || extra % width !== 0) {
    throw new UsageError(
      `concepts of width ${width} do not suit a further embedding of ${extra} columns; use those of its own text tower`,
    );
  }
  const kept = columns - extra;
  const views = extra / width;
  const unit = unitRows(concepts);
  const result = new Float64Array(rows * (kept + concepts.rows));
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const into = row * (kept + concepts.rows);
    result.set(data.subarray(start, start + kept), into);
    const embeddings = unitRows({
      rows: views,
      columns: width,
      data: data.slice(start + kept, start + columns),
    });
    for (let concept = 0; concept < concepts.rows; concept++) {
      let total = 0;
      for (let at = 0; at < views * width; at++) {
        total += (embeddings[at] as number) * (unit[concept * width + (at % width)] as number);
      }
      result[into + kept + concept] = total / views;
    }
  }
  return { rows, columns: kept + concepts.rows, data: result };
}

/** Rows scaled to length 1; a row of zeros stays. */
function unitRows({ rows, columns, data }: Matrix): Float64Array {
  const unit = Float64Array.from(data);
  for (let row = 0; row < rows; row++) {
    const own = unit.subarray(row * columns, (row + 1) * columns);
    const length = Math.hypot(...own);
    if (length > 0)
      own.forEach((value, at) => {
        own[at] = value / length;
      });
  }
  return unit;
}

/**
 * {@link withConceptScores} as a graph.
 *
 * @param features `[batch, columns]`, of which the first `kept` stay
 */
export function conceptScoresGraph(features: Tensor, kept: number, concepts: Matrix): Tensor {
  const [batch, columns] = features.shape as [number, number];
  const embeddings = reshape(slice(features, { 1: [kept, columns] }), [batch, -1, concepts.columns]);
  const texts = constant(concepts.data, [concepts.rows, concepts.columns], 'float64');
  const cosines = matmul(unitVectors(embeddings), unitVectors(texts), { transposeB: true });
  return concat([slice(features, { 1: [0, kept] }), mean(cosines, { axes: [1] })], 1);
}

/** Keeps rows of zeros from being divided by zero. */
const TINY = 1e-300;

/** {@link unitRows} as a graph. */
function unitVectors(x: Tensor): Tensor {
  const squares = sumOfSquares(x, { axes: [-1], keepAxes: true });
  return divide(x, squareRoot(maximum(squares, TINY)));
}
