import { type Matrix, rowVector } from '../../ground/matrix.ts';
import type { Projection } from './projection.ts';

/** Names of the matrices of a stored projection. */
export const PROJECTION_MATRICES = ['mean', 'scale', 'coefficients', 'intercept'] as const;

/** A projection as matrices whose names start with `prefix`; its clip is stored beside them. */
export function storedProjection(
  { mean, scale, coefficients, intercept }: Projection,
  prefix = '',
): Record<string, Matrix> {
  return {
    [`${prefix}mean`]: rowVector(mean),
    [`${prefix}scale`]: rowVector(scale),
    [`${prefix}coefficients`]: coefficients,
    [`${prefix}intercept`]: rowVector(intercept),
  };
}

/** The projection that {@link storedProjection} stored. */
export function restoredProjection(
  matrices: Readonly<Record<string, Matrix>>,
  clip: number,
  prefix = '',
): Projection {
  const part = (name: (typeof PROJECTION_MATRICES)[number]): Matrix => matrices[prefix + name] as Matrix;
  return {
    mean: part('mean').data,
    scale: part('scale').data,
    clip,
    coefficients: part('coefficients'),
    intercept: part('intercept').data,
  };
}
