import type { z } from 'zod';
import type { networkSettings } from '../networks/settings/network.ts';
import type { featurePlanSchema } from '../vision/features/index.ts';

/** A network recipe: its estimator, and what is taken of photos once a backbone is named. */
interface NetworkRecipe {
  readonly estimator: z.input<typeof networkSettings>;
  readonly plan: z.input<typeof featurePlanSchema>;
}

/** Blocks 17 and 23 of 24, and those at the same depth of other backbones. */
const SEED1_PLAN = { view: 'tiles', blocks: ['17/23', '23/23'], pooling: 'cls-mean' } as const;

const SEED1 = {
  kind: 'network',
  architecture: { kind: 'tiled-dual', physics: 'project' },
  loss: { smoothL1: 1, beta: 1, weights: 'nested' },
  mixup: { probability: 0.5, alpha: 0.4 },
  optimizer: { kind: 'adamw', rate: 1e-4, weightDecay: 0.01 },
  schedule: { kind: 'cosine', floor: 0.01 },
  epochs: 20,
  batch: 8,
  clipNorm: 1,
} as const;

const SEED2_PLAN = { view: 'halves', size: '~512', pooling: 'pooled' } as const;

const SEED2 = {
  kind: 'network',
  architecture: { kind: 'film-dual' },
  loss: { mse: 1, weights: 'components' },
  optimizer: { kind: 'adamw', rate: 1e-4, weightDecay: 1e-4 },
  schedule: { kind: 'cosine', warmUp: 1 },
  epochs: 15,
  batch: 8,
} as const;

const DENSITY = {
  kind: 'network',
  architecture: { kind: 'density', halves: 'separate' },
  standardise: true,
  unit: 'mean',
  loss: { smoothL1: 1, beta: 5 },
  optimizer: { rate: 1e-3, weightDecay: 0.05 },
  schedule: { kind: 'cosine', warmUp: 1 },
  epochs: 30,
} as const;

/**
 * Recipes of networks. `seed1`, `seed1-two-stage`, `seed2` and `kinosuke` are what their authors describe, down to the
 * checkpoint chosen by the fold itself; the last three train the backbone too and need photos. `tiled-dual`,
 * `film-dual` and `density` are the same architectures trained as this project would.
 */
export const NETWORK_RECIPES = {
  'feature-mlp': {
    estimator: {
      kind: 'network',
      architecture: { kind: 'mlp', hidden: [512], dropout: 0.3 },
      standardise: true,
      unit: 'mean',
      loss: { huber: 1, delta: 10 },
      mixup: { probability: 0.5, alpha: 0.4 },
      optimizer: { rate: 3e-4 },
      epochs: 40,
      batch: 32,
      members: 4,
    },
    plan: {},
  },
  'tiled-dual': {
    estimator: {
      ...SEED1,
      standardise: true,
      unit: 'mean',
      checkpoint: { choice: 'best-inner', patience: 8 },
    },
    plan: SEED1_PLAN,
  },
  'film-dual': {
    estimator: { ...SEED2, standardise: true, unit: 'mean' },
    plan: SEED2_PLAN,
  },
  density: {
    estimator: DENSITY,
    plan: { view: 'halves', size: '~512', pooling: 'patches', grid: 8 },
  },
  seed1: {
    estimator: { ...SEED1, checkpoint: { choice: 'best-fold', by: 'loss', patience: 8 } },
    plan: SEED1_PLAN,
  },
  'seed1-two-stage': {
    estimator: {
      ...SEED1,
      epochs: 15,
      optimizer: { ...SEED1.optimizer, rate: 1e-5 },
      augmentation: { preset: 'seed1' },
      fineTune: { mode: 'full', backboneRate: 1, headEpochs: 5, headRate: 1e-4, checkpoint: true },
      checkpoint: { choice: 'best-fold', by: 'loss', patience: 8 },
    },
    plan: SEED1_PLAN,
  },
  seed2: {
    estimator: {
      ...SEED2,
      augmentation: {
        horizontalFlip: { probability: 0.5 },
        verticalFlip: { probability: 0.5 },
        colourJitter: { probability: 1, brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0 },
      },
      fineTune: { mode: 'full', backboneRate: 0.1 },
      checkpoint: { choice: 'best-fold', by: 'score' },
    },
    plan: SEED2_PLAN,
  },
  kinosuke: {
    estimator: {
      ...DENSITY,
      loss: { smoothL1: 1, beta: 1 },
      augmentation: { preset: 'light' },
      fineTune: {
        mode: 'last',
        lastBlocks: 0.5,
        unfreeze: { schedule: 'gradual' },
        backboneRate: 0.01,
        backboneRateAtEnd: 0.03,
      },
      checkpoint: { choice: 'best-fold', by: 'score' },
    },
    plan: { view: 'halves', size: '~672', pooling: 'patches', grid: 14 },
  },
} as const satisfies Readonly<Record<string, NetworkRecipe>>;
