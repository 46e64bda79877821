import { EigenvalueDecomposition } from 'ml-matrix';
import { InputError } from '../../ground/errors.ts';
import { fromDense, multiply, toDense, transpose } from '../../ground/linear-algebra.ts';
import { type Matrix, takeColumns } from '../../ground/matrix.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { type Projection, prepareFeatures, withSettledSigns } from './projection.ts';
import type { PcaSettings } from './reduction-settings.ts';

/** What principal components are asked for; `whiten` as a share: 0 leaves variances, 1 makes all of them 1. */
export type PcaChoice = Omit<PcaSettings, 'kind' | 'whiten'> &
  Partial<Pick<PcaSettings, 'kind'>> & { readonly whiten: boolean | number };

/** Variances below this share of the largest are rounding noise. */
const NO_VARIANCE = 1e-12;

/**
 * Principal components of standardised features, those of largest variance first. Each points so that its
 * largest entry is positive. No more components are made than the training photos span.
 *
 * @throws InputError when all photos have the same features
 */
export function fitPca(
  training: Omit<TrainingRows, 'targets'>,
  { components, whiten, clip }: PcaChoice,
): Projection {
  const { rows, weights, projectionOn } = prepareFeatures(training, clip);
  const { variances, directions } = principalAxes(rows);
  const kept = countOf(variances, components);
  if (kept === 0) {
    throw new InputError(
      'features',
      'are the same for all photos that a fold trains on',
      'give more photos, or fewer folds',
    );
  }
  const axes = withSettledSigns(
    takeColumns(
      directions,
      Array.from({ length: kept }, (_, component) => component),
    ),
  );
  const scale = (component: number): number =>
    Math.sqrt(weights.length / (variances[component] as number)) ** Number(whiten);
  return projectionOn({ ...axes, data: axes.data.map((value, at) => value * scale(at % kept)) });
}

interface PrincipalAxes {
  /** Sums of squares along the axes, falling; those of rounding noise are left out. */
  readonly variances: Float64Array;
  /** [columns, axes], orthonormal columns. */
  readonly directions: Matrix;
}

/** Eigenvectors of XᵀX, found through the smaller of XᵀX and XXᵀ. */
function principalAxes(rows: Matrix): PrincipalAxes {
  const wide = rows.columns > rows.rows;
  const turned = transpose(rows);
  const products = wide ? multiply(rows, turned) : multiply(turned, rows);
  const decomposition = new EigenvalueDecomposition(toDense(products), { assumeSymmetric: true });
  // The library sorts eigenvalues of symmetric matrices upwards.
  const rising = decomposition.realEigenvalues;
  const largest = rising.at(-1) ?? 0;
  const order = rising
    .map((_, index) => index)
    .filter((index) => (rising[index] as number) > NO_VARIANCE * largest)
    .reverse();
  const variances = Float64Array.from(order, (index) => rising[index] as number);
  const vectors = takeColumns(fromDense(decomposition.eigenvectorMatrix), order);
  if (!wide) return { variances, directions: vectors };
  const spanned = multiply(turned, vectors);
  const data = spanned.data.map((value, at) => value / Math.sqrt(variances[at % order.length] as number));
  return { variances, directions: { ...spanned, data } };
}

/** How many components a setting asks for. */
function countOf(variances: Float64Array, wanted: number): number {
  if (wanted >= 1) return Math.min(wanted, variances.length);
  const total = variances.reduce((sum, variance) => sum + variance, 0);
  let explained = 0;
  let count = 0;
  while (count < variances.length && explained < wanted * total) {
    explained += variances[count] as number;
    count++;
  }
  return count;
}
