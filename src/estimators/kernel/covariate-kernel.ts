import { type Matrix, rowVector } from '../../ground/matrix.ts';
import type { StoredModel } from '../model-file.ts';
import { fitStandardiser, type Standardiser, standardise } from '../standardise.ts';
import { gram, type KernelName, kernelMatrix, squaredNorms } from './kernels.ts';

/** Readings so many deviations from the mean count as farther ones do. */
export const COVARIATE_CLIP = 4;

/** Inverse widths tried, in units of a standardised reading: from a bend over the whole range to one within a deviation. */
export const COVARIATE_GAMMAS: readonly number[] = [0.1, 0.3, 1];

/** What is learnt of training photos' covariates, before a width is chosen. */
export interface CovariateSupport extends Standardiser {
  /** The share of their kernel in the mean of all, between 0 and 1. */
  readonly share: number;
  /** Standardised readings of the training photos. [photos, covariates] */
  readonly support: Matrix;
}

/** A kernel of covariates beside that of features. */
export interface CovariateKernel extends CovariateSupport {
  /** Inverse width; nothing to a linear kernel. */
  readonly gamma: number;
}

/** The kernel of covariates beside one of features: what bends there bends here, and most smoothly. */
export const besideKernel = (kernel: KernelName): KernelName => (kernel === 'linear' ? kernel : 'rbf');

/**
 * Standardises covariates to give a kernel of their own: alone among a thousand features a height would not be heard,
 * while a kernel counts as one set of features does.
 *
 * @param covariates on the scale that models read; null: there are none
 * @param weights of the photos
 */
export function covariateSupport(
  covariates: Matrix | null,
  weights: readonly number[],
  share: number,
): CovariateSupport | null {
  if (!covariates) return null;
  const standardiser = fitStandardiser(covariates, weights);
  return { ...standardiser, share, support: standardise(covariates, standardiser, COVARIATE_CLIP) };
}

/**
 * The mean of the kernel of features and that of covariates; without these that of features as it is.
 *
 * @param covariates of the photos asked about; of the training photos those of `known` itself
 */
export function besideCovariates(
  features: Matrix,
  kernel: KernelName,
  known: CovariateKernel | null,
  covariates: Matrix | null,
): Matrix {
  if (!known) return features;
  if (!covariates) throw new RangeError('the model reads covariates, and is shown none');
  const { support, gamma, share } = known;
  const asked = covariates === support ? support : standardise(covariates, known, COVARIATE_CLIP);
  const own = kernelMatrix(
    besideKernel(kernel),
    gamma,
    gram(asked, support),
    squaredNorms(asked),
    squaredNorms(support),
  );
  return {
    ...features,
    data: features.data.map((value, at) => (1 - share) * value + share * (own.data[at] as number)),
  };
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
