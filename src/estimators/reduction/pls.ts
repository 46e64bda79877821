import { EigenvalueDecomposition } from 'ml-matrix';
import { InputError } from '../../ground/errors.ts';
import { multiply, toDense, transpose } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { componentsTable } from '../masses/components-table.ts';
import { changeBasis, outputBasis } from '../masses/output-basis.ts';
import { fitStandardiser } from '../standardise.ts';
import { centredRows, type Projection, prepareFeatures, withSettledSigns } from './projection.ts';
import type { PlsSettings } from './reduction-settings.ts';

/** Covariance below this share of the first component's is rounding noise. */
const NO_COVARIANCE = 1e-10;

/** Masses whose squares about their mean are below this share of their squares are all alike. */
const NO_VARIANCE = 1e-20;

/**
 * Partial least squares of standardised features on the masses, in the mixtures of the components whose squared
 * errors add up to the metric's (`outputBasis`). Each component points so that its largest entry is positive.
 *
 * @throws InputError when no feature varies together with the masses
 */
export function fitPls(training: TrainingRows, { components, clip }: PlsSettings): Projection {
  const { rows, weights, projectionOn } = prepareFeatures(training, clip);
  const outputs = changeBasis(componentsTable(training.targets), outputBasis('metric').toOutputs);
  const centred = centredRows(outputs, fitStandardiser(outputs, weights).mean, weights);
  const varied = squares(centred) > NO_VARIANCE * squares(outputs);
  const coefficients = withSettledSigns(plsRotations(rows, centred, varied ? components : 0));
  if (coefficients.columns === 0) {
    throw new InputError('features', 'do not vary together with the masses', 'there is nothing to learn');
  }
  return projectionOn(coefficients);
}

/**
 * Rotations R of two-block partial least squares, scores being XR: NIPALS with deflation of X (Wold et al.,
 * Chemometrics and Intelligent Laboratory Systems 58, 2001), the weights of a component being the dominant left
 * singular vector of XᵀY in closed form instead of by iteration. R is unrolled as r = w − Σ (pᵀw) r over the
 * earlier components, so that scores come of X as it is. Equals scikit-learn's `PLSRegression(scale=False)`.
 *
 * @param inputs X, centred columns. [photos, features]
 * @param outputs Y, centred columns. [photos, outputs]
 * @returns [features, components], fewer where X or its covariance with Y is used up
 */
function plsRotations(inputs: Matrix, outputs: Matrix, components: number): Matrix {
  const { rows, columns } = inputs;
  const rest = inputs.data.slice();
  const loadings: Float64Array[] = [];
  const rotations: Float64Array[] = [];
  let first = 0;
  while (rotations.length < components) {
    const covariance = multiply(transpose({ rows, columns, data: rest }), outputs);
    const { vector: weight, strength } = dominantLeft(covariance);
    if (rotations.length === 0) first = strength;
    if (!(strength > NO_COVARIANCE * first)) break;
    const scores = timesVector(rest, rows, weight);
    const length = dot(scores, scores);
    const loading = Float64Array.from({ length: columns }, (_, column) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        sum += (scores[row] as number) * (rest[row * columns + column] as number);
      }
      return sum / length;
    });
    const rotation = weight.slice();
    rotations.forEach((earlier, index) => {
      const share = dot(loadings[index] as Float64Array, weight);
      earlier.forEach((value, column) => {
        rotation[column] = (rotation[column] as number) - share * value;
      });
    });
    rotations.push(rotation);
    loadings.push(loading);
    for (let at = 0; at < rest.length; at++) {
      rest[at] =
        (rest[at] as number) -
        (scores[Math.floor(at / columns)] as number) * (loading[at % columns] as number);
    }
  }
  const data = Float64Array.from(
    { length: columns * rotations.length },
    (_, at) => rotations[at % rotations.length]?.[Math.floor(at / rotations.length)] as number,
  );
  return { rows: columns, columns: rotations.length, data };
}

/** The left singular vector of the largest singular value of a tall matrix, and that value. */
function dominantLeft(matrix: Matrix): { vector: Float64Array; strength: number } {
  const products = toDense(multiply(transpose(matrix), matrix));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(products, {
    assumeSymmetric: true,
  });
  const strength = Math.sqrt(Math.max(0, realEigenvalues.at(-1) ?? 0));
  const right = Float64Array.from(eigenvectorMatrix.getColumn(matrix.columns - 1));
  return { vector: timesVector(matrix.data, matrix.rows, right).map((value) => value / strength), strength };
}

function timesVector(data: Float64Array, rows: number, vector: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    dot(data.subarray(row * vector.length, (row + 1) * vector.length), vector),
  );
}

const squares = ({ data }: Matrix): number => dot(data, data);

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}
