import { COVARIATE_CLIP } from '../../estimators/kernel/covariate-kernel.ts';
import { fitStandardiser } from '../../estimators/standardise.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { concat, gelu, input, linearLayer, type Scope, type Tensor } from '../../tensor/index.ts';
import { type Features, type NetworkShape, standardised } from './features.ts';
import type { Statistics } from './statistics.ts';

/** The input that carries covariates. */
export const COVARIATES = 'covariates';

/** Width of the branch: enough for bends and products of a few readings. */
const WIDTH = 16;
const BRANCH = 'covariates';
const STATISTICS = 'standardise.covariates';

/** What is fed beside features, where models are shown covariates. @returns `[batch, covariates]` */
export function covariateInput(
  { covariates = 0 }: Pick<NetworkShape, 'covariates'>,
  batch: number,
): Pick<Features, 'covariates'> {
  return covariates > 0 ? { covariates: input(COVARIATES, [batch, covariates]) } : {};
}

/**
 * Features with what a small network makes of the covariates beside the further embedding of the photo, which all heads
 * read. Covariates are standardised whatever the settings, for their units are of any size. Names: `covariates.0`,
 * `covariates.2`.
 */
export function withCovariateBranch(scope: Scope, features: Features): Features {
  const { covariates, extra, parts } = features;
  if (!covariates) return features;
  const own = scope.in(BRANCH);
  const readings = standardised(scope.in(STATISTICS), covariates, COVARIATE_CLIP);
  const hidden = gelu(linearLayer(own.in(0), readings, WIDTH));
  const branch: Tensor = gelu(linearLayer(own.in(2), hidden, WIDTH));
  return { parts, extra: extra ? concat([extra, branch], -1) : branch };
}

/** Mean and inverse deviation of covariates; nothing where none is shown. @param weights of the photos */
export function covariateStatistics(covariates: Matrix | null, weights: readonly number[]): Statistics {
  if (!covariates) return {};
  const { mean, scale } = fitStandardiser(covariates, weights);
  return {
    [`${STATISTICS}.mean`]: Float32Array.from(mean),
    [`${STATISTICS}.scale`]: Float32Array.from(scale),
  };
}
