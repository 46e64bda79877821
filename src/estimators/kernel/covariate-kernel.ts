import { type Matrix, rowVector } from '../../ground/matrix.ts';
import type { StoredModel } from '../model-file.ts';
import { fitStandardiser, type Standardiser, standardise } from '../standardise.ts';
import { hasWidth, type InnerProducts, innerProducts, type KernelName, kernelMatrix } from './kernels.ts';

/** Readings so many deviations from the mean count as farther ones do. */
export const COVARIATE_CLIP = 4;

/** Inverse width, in units of a standardised reading: a bend over the whole range (narrower ones did worse, docs/accuracy.md). */
export const COVARIATE_GAMMA = 0.05;

/** How much a kernel of covariates counts, and how wide it is. */
export interface CovariateKernelSettings {
  /** How much it counts beside the kernel of another set of columns; default as much. */
  readonly covariateWeight?: number | undefined;
  /** Its inverse width; default {@link COVARIATE_GAMMA}. */
  readonly covariateGamma?: number | undefined;
}

/** A kernel of covariates beside those of features. */
export interface CovariateKernel extends Standardiser {
  /** Its share in the mean of all kernels, between 0 and 1. */
  readonly share: number;
  /** Inverse width; nothing beside a kernel without one. */
  readonly gamma: number;
  /** Standardised readings of the training photos. [photos, covariates] */
  readonly support: Matrix;
}

/**
 * Standardises covariates to give a kernel of their own: alone among a thousand features a height would not be heard,
 * while a kernel counts as one set of features does.
 *
 * @param covariates on the scale that models read; null: there are none
 * @param weights of the photos
 * @param others how many kernels of features there are
 */
export function covariateKernel(
  covariates: Matrix | null,
  weights: readonly number[],
  { covariateWeight = 1, covariateGamma = COVARIATE_GAMMA }: CovariateKernelSettings,
  others = 1,
): CovariateKernel | null {
  if (!covariates) return null;
  const standardiser = fitStandardiser(covariates, weights);
  return {
    ...standardiser,
    share: covariateWeight / (others + covariateWeight),
    gamma: covariateGamma,
    support: standardise(covariates, standardiser, COVARIATE_CLIP),
  };
}

/**
 * The kernel matrix of features and covariates. Kernels of a width are averaged with a smooth one of covariates; of those
 * that have none covariates are further columns, so that what a feature says may depend on them. Without covariates: the
 * kernel of features as it is.
 *
 * @param features inner products of the photos asked about and the training photos
 * @param covariates of the photos asked about; of the training photos those of `known` itself
 */
export function besideCovariates(
  kernel: KernelName,
  gamma: number,
  features: InnerProducts,
  known: CovariateKernel | null,
  covariates: Matrix | null,
): Matrix {
  if (!known) return kernelMatrix(kernel, gamma, features);
  if (!covariates) throw new RangeError('the model reads covariates, and is shown none');
  const { support, share } = known;
  const asked = covariates === support ? support : standardise(covariates, known, COVARIATE_CLIP);
  const own = innerProducts(asked, support);
  const mixed = (ours: Float64Array, theirs: Float64Array): Float64Array =>
    ours.map((value, at) => (1 - share) * value + share * (theirs[at] as number));
  const beside = (ours: Matrix, theirs: Matrix): Matrix => ({ ...ours, data: mixed(ours.data, theirs.data) });
  if (hasWidth(kernel)) {
    return beside(kernelMatrix(kernel, gamma, features), kernelMatrix('rbf', known.gamma, own));
  }
  return kernelMatrix(kernel, gamma, {
    products: beside(features.products, own.products),
    left: mixed(features.left, own.left),
    right: mixed(features.right, own.right),
  });
}

/** Names of the matrices of a stored kernel of covariates. */
export const covariateMatrixNames = (prefix: string): string[] =>
  ['mean', 'scale', 'support'].map((part) => `${prefix}covariates.${part}`);

/** A kernel of covariates as matrices and texts whose names start with `prefix`; nothing where there is none. */
export function storedCovariates(known: CovariateKernel | null, prefix: string): StoredModel {
  if (!known) return { matrices: {}, texts: {} };
  const { mean, scale, support, gamma, share } = known;
  const [meanName = '', scaleName = '', supportName = ''] = covariateMatrixNames(prefix);
  return {
    matrices: { [meanName]: rowVector(mean), [scaleName]: rowVector(scale), [supportName]: support },
    texts: { [`${prefix}covariates.gamma`]: String(gamma), [`${prefix}covariates.share`]: String(share) },
  };
}

/** What {@link storedCovariates} stored; null where it stored nothing. */
export function restoredCovariates({ matrices, texts }: StoredModel, prefix: string): CovariateKernel | null {
  const [mean, scale, support] = covariateMatrixNames(prefix).map((name) => matrices[name]);
  if (!mean || !scale || !support) return null;
  return {
    mean: mean.data,
    scale: scale.data,
    support,
    gamma: Number(texts[`${prefix}covariates.gamma`]),
    share: Number(texts[`${prefix}covariates.share`]),
  };
}
