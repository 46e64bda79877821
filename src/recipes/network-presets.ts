import type { z } from 'zod';
import type { networkSettings } from '../networks/settings/network.ts';
import type { featurePlanSchema } from '../vision/features/index.ts';

/** A network recipe: what it is chosen by, its estimator, and what is taken of photos once a backbone is named. */
interface NetworkRecipe {
  readonly summary: { readonly reads: string; readonly learns: string; readonly cost: string };
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
    summary: {
      reads: 'a feature file, or a backbone’s features',
      learns: 'four small networks, averaged',
      cost: 'minutes, once the features are made',
    },
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
    summary: {
      reads: 'a backbone’s features of eight tiles',
      learns: 'heads for total, GDM and green',
      cost: 'minutes, once the features are made',
    },
    estimator: {
      ...SEED1,
      standardise: true,
      unit: 'mean',
      checkpoint: { choice: 'best-inner', patience: 8 },
    },
    plan: SEED1_PLAN,
  },
  'film-dual': {
    summary: {
      reads: 'a backbone’s features of both halves',
      learns: 'modulated halves; heads for green, clover and dead',
      cost: 'minutes, once the features are made',
    },
    estimator: { ...SEED2, standardise: true, unit: 'mean' },
    plan: SEED2_PLAN,
  },
  density: {
    summary: {
      reads: 'patch tokens of both halves',
      learns: 'masses of every patch, summed; draws maps',
      cost: 'minutes, once the features are made',
    },
    estimator: DENSITY,
    plan: { view: 'halves', size: '~512', pooling: 'patches', grid: 8 },
  },
  seed1: {
    summary: {
      reads: 'a backbone’s features of eight tiles',
      learns: 'as tiled-dual, trained as its authors did',
      cost: 'minutes, once the features are made',
    },
    estimator: { ...SEED1, checkpoint: { choice: 'best-fold', by: 'loss', patience: 8 } },
    plan: SEED1_PLAN,
  },
  'seed1-two-stage': {
    summary: { reads: 'photos', learns: 'seed1, then the backbone too', cost: 'hours; wants a GPU' },
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
    summary: {
      reads: 'photos',
      learns: 'film-dual with its backbone, as its authors did',
      cost: 'hours; wants a GPU',
    },
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
    summary: {
      reads: 'photos',
      learns: 'density with half of its backbone, as its author did',
      cost: 'hours; wants a GPU',
    },
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
