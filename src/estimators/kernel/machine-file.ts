import type { Matrix } from '../../ground/matrix.ts';
import { rowVector } from '../../ground/matrix.ts';
import type { StoredModel } from '../model-file.ts';
import { restoredCovariates, storedCovariates } from './covariate-kernel.ts';
import type { KernelMachine } from './kernel-machine.ts';
import { KERNELS } from './kernels.ts';

const PARTS = ['mean', 'scale', 'support', 'dual', 'intercept'] as const;

/** Names of the matrices of a stored machine. */
export function machineMatrixNames(prefix: string): string[] {
  return PARTS.map((part) => prefix + part);
}

/** A machine as matrices and texts whose names start with `prefix`. */
export function storedMachine(machine: KernelMachine, prefix: string): StoredModel {
  const { mean, scale, support, dual, intercept, clip, gamma, kernel } = machine;
  const covariates = storedCovariates(machine.covariates, prefix);
  const parts: Record<(typeof PARTS)[number], Matrix> = {
    mean: rowVector(mean),
    scale: rowVector(scale),
    support,
    dual,
    intercept: rowVector(intercept),
  };
  return {
    matrices: {
      ...Object.fromEntries(PARTS.map((part) => [prefix + part, parts[part]])),
      ...covariates.matrices,
    },
    texts: {
      [`${prefix}clip`]: String(clip),
      [`${prefix}gamma`]: String(gamma),
      [`${prefix}kernel`]: kernel,
      ...covariates.texts,
    },
  };
}

/** The machine that {@link storedMachine} stored. @throws RangeError when a part is missing */
export function restoredMachine(stored: StoredModel, prefix: string): KernelMachine {
  const { matrices, texts } = stored;
  const part = (name: (typeof PARTS)[number]): Matrix => {
    const matrix = matrices[prefix + name];
    if (!matrix) throw new RangeError(`no ${prefix}${name} in the model`);
    return matrix;
  };
  return {
    mean: part('mean').data,
    scale: part('scale').data,
    support: part('support'),
    dual: part('dual'),
    intercept: part('intercept').data,
    clip: Number(texts[`${prefix}clip`]),
    gamma: Number(texts[`${prefix}gamma`]),
    kernel: KERNELS.find((kernel) => kernel === texts[`${prefix}kernel`]) ?? 'linear',
    covariates: restoredCovariates(stored, prefix),
  };
}
