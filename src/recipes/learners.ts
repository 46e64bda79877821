import { z } from 'zod';
import { covariateColumns } from '../estimators/covariates/as-columns.ts';
import { kernelRidge } from '../estimators/kernel/kernel-ridge.ts';
import { ridge } from '../estimators/kernel/ridge.ts';
import { kernelRidgeSettings, ridgeSettings, viewAverageSettings } from '../estimators/kernel/settings.ts';
import { viewAverage } from '../estimators/kernel/view-average.ts';
import { kernelAverage } from '../estimators/kernel-average/kernel-average.ts';
import { kernelAverageSettings } from '../estimators/kernel-average/settings.ts';
import { leafwiseBoostSettings, obliviousBoostSettings } from '../estimators/trees/boost-settings.ts';
import { leafwiseBoost } from '../estimators/trees/leafwise-boost.ts';
import { obliviousBoost } from '../estimators/trees/oblivious-boost.ts';
import type { Estimator } from '../learning/estimator.ts';
import { network } from '../networks/network.ts';
import { networkSettings } from '../networks/settings/network.ts';

const RIDGE_DEFAULTS = { sessionWeight: 0.5, clip: 4, scaling: 'columns' };
const PENALTIES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const SOFT_KERNEL = { weight: 1, kernels: ['laplacian'], gammas: [0.3], penalties: PENALTIES };

/**
 * Every estimator of features that a recipe, or a member of a stack, may have, by the `kind` of its settings: what
 * its settings are, what makes it, and values where a recipe gives none (those that the settings do not have).
 */
const LEARNERS = {
  ridge: { settings: ridgeSettings, make: ridge, defaults: { ...RIDGE_DEFAULTS, penalties: PENALTIES } },
  'kernel-ridge': {
    settings: kernelRidgeSettings,
    make: kernelRidge,
    defaults: { ...RIDGE_DEFAULTS, kernels: ['rbf'], gammas: [0.2, 0.4], penalties: PENALTIES },
  },
  'view-average': {
    settings: viewAverageSettings,
    make: viewAverage,
    defaults: {
      ...RIDGE_DEFAULTS,
      sessionWeight: 0,
      members: [
        { view: 'contrast', weight: 2, kernels: ['linear'], gammas: [1], penalties: PENALTIES },
        { view: 'form', ...SOFT_KERNEL },
        { view: 'scatter', ...SOFT_KERNEL },
      ],
    },
  },
  'kernel-average': {
    settings: kernelAverageSettings,
    make: kernelAverage,
    defaults: {
      sessionWeight: 0.5,
      clip: 4,
      members: [0, 'descriptors.contrast', 'descriptors.form', 'descriptors.scatter'].map((input) => ({
        input,
        whitening: 0.7,
      })),
      outputs: 'masses',
      withCovariates: { outputs: 'components' },
      kernels: ['rbf'],
      gammas: [0.2],
      penalties: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    },
  },
  'leafwise-boost': {
    settings: leafwiseBoostSettings,
    make: (settings: z.output<typeof leafwiseBoostSettings>) => covariateColumns(leafwiseBoost(settings)),
    defaults: {},
  },
  'oblivious-boost': {
    settings: obliviousBoostSettings,
    make: (settings: z.output<typeof obliviousBoostSettings>) => covariateColumns(obliviousBoost(settings)),
    defaults: {},
  },
  network: { settings: networkSettings, make: network, defaults: {} },
};

type Schema = (typeof LEARNERS)[keyof typeof LEARNERS]['settings'];

/** Settings of one of them. */
export const learnerSettings = z
  .discriminatedUnion(
    'kind',
    Object.values(LEARNERS).map(({ settings }): Schema => settings) as [Schema, ...Schema[]],
  )
  .describe('what learns from the columns');

/** The estimator of some settings. */
export function learnerOf(settings: z.output<typeof learnerSettings>): Estimator {
  // Each is made by settings of its own kind, which a table cannot tell the compiler.
  const { make } = LEARNERS[settings.kind] as { make: (settings: unknown) => Estimator };
  return make(settings);
}

/** Values that settings of a kind have where a recipe does not give them. */
export function learnerDefaults(kind: unknown): object {
  return Object.entries(LEARNERS).find(([name]) => name === kind)?.[1].defaults ?? {};
}
