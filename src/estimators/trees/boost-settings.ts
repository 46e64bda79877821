import { z } from 'zod';
import { OUTPUT_BASES } from '../masses/output-basis.ts';
import { OBJECTIVES } from './objectives.ts';
import { SCORE_FUNCTIONS } from './oblivious-structure.ts';

const positive = z.number().positive();
const notNegative = z.number().min(0);
const share = z.number().gt(0).max(1);
const count = z.int().min(1);

/** Settings that both kinds of trees share. */
const shared = {
  /** What trees are grown for: the components, or mixtures whose squared errors sum to the metric's. */
  outputs: z.enum(OUTPUT_BASES),
  /** Models of different seeds whose predictions are averaged. */
  members: count,
  /** How far large sessions are weighed down: 0 not at all, 1 all sessions alike. */
  sessionWeight: z.number().min(0).max(1),
  /** Columns that hold category codes instead of amounts. */
  categorical: z.array(z.int().min(0)),
  /** Folds of whole sessions on which early stopping finds the number of trees. */
  innerFolds: z.int().min(2),
  objective: z.enum(OBJECTIVES),
  /** Huber's corner, grams, or the quantile wanted. */
  alpha: positive,
  /** Of Tweedie's variance. */
  tweedieVariancePower: z.number().min(1).lt(2),
  learningRate: positive,
};

/** Leaf-wise boosted trees, under LightGBM's names. */
export const leafwiseBoostSettings = z.strictObject({
  kind: z.literal('leafwise-boost'),
  ...shared,
  numIterations: count,
  numLeaves: z.int().min(2),
  /** 0 or less: no limit. */
  maxDepth: z.int(),
  minDataInLeaf: count,
  minSumHessian: notNegative,
  minGainToSplit: notNegative,
  featureFraction: share,
  featureFractionByNode: share,
  baggingFraction: share,
  baggingFreq: z.int().min(0),
  lambdaL1: notNegative,
  lambdaL2: notNegative,
  maxBin: z.int().min(2).max(65535),
  minDataInBin: count,
  extraTrees: z.boolean(),
  catL2: notNegative,
  catSmooth: notNegative,
  maxCatThreshold: count,
  maxCatToOnehot: count,
  /** 0: no early stopping. */
  earlyStoppingRound: z.int().min(0),
  boostFromAverage: z.boolean(),
});

/** Boosted symmetric trees, under CatBoost's names. */
export const obliviousBoostSettings = z.strictObject({
  kind: z.literal('oblivious-boost'),
  ...shared,
  iterations: count,
  depth: z.int().min(1).max(16),
  l2LeafReg: notNegative,
  boostingType: z.enum(['Plain', 'Ordered']),
  permutationCount: count,
  randomStrength: notNegative,
  baggingTemperature: notNegative,
  borderCount: z.int().min(1).max(65535),
  rsm: share,
  scoreFunction: z.enum(SCORE_FUNCTIONS),
  ctrTargetBorderCount: z.int().min(1).max(255),
  leafEstimationIterations: count,
  leafEstimationMethod: z.enum(['Newton', 'Gradient']),
  /** 0: no early stopping. */
  odWait: z.int().min(0),
});

export type LeafwiseBoostSettings = z.output<typeof leafwiseBoostSettings>;
export type ObliviousBoostSettings = z.output<typeof obliviousBoostSettings>;

const SHARED_DEFAULTS = {
  outputs: 'metric',
  members: 3,
  sessionWeight: 0,
  categorical: [],
  innerFolds: 5,
  objective: 'regression',
  alpha: 0.9,
  tweedieVariancePower: 1.5,
  learningRate: 0.05,
} as const;

/**
 * Settings for a few hundred photos with many features: many shallow trees that each see a tenth of the columns,
 * averaged over three seeds.
 */
export const LEAFWISE_BOOST_DEFAULTS = {
  ...SHARED_DEFAULTS,
  numIterations: 800,
  numLeaves: 4,
  maxDepth: 2,
  minDataInLeaf: 10,
  minSumHessian: 1e-3,
  minGainToSplit: 0,
  featureFraction: 0.1,
  featureFractionByNode: 1,
  baggingFraction: 0.7,
  baggingFreq: 1,
  lambdaL1: 0,
  lambdaL2: 5,
  maxBin: 255,
  minDataInBin: 3,
  extraTrees: false,
  catL2: 10,
  catSmooth: 10,
  maxCatThreshold: 32,
  maxCatToOnehot: 4,
  earlyStoppingRound: 0,
  boostFromAverage: true,
} as const satisfies Omit<LeafwiseBoostSettings, 'kind' | 'categorical'> & { categorical: readonly number[] };

/** As {@link LEAFWISE_BOOST_DEFAULTS}; noise on scores, which small data do not forgive, is off, and splits are scored by squares. */
export const OBLIVIOUS_BOOST_DEFAULTS = {
  ...SHARED_DEFAULTS,
  iterations: 600,
  depth: 3,
  l2LeafReg: 3,
  boostingType: 'Plain',
  permutationCount: 4,
  randomStrength: 0,
  baggingTemperature: 0,
  borderCount: 254,
  rsm: 0.1,
  scoreFunction: 'L2',
  ctrTargetBorderCount: 1,
  leafEstimationIterations: 1,
  leafEstimationMethod: 'Newton',
  odWait: 0,
} as const satisfies Omit<ObliviousBoostSettings, 'kind' | 'categorical'> & {
  categorical: readonly number[];
};
