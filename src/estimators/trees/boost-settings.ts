import { z } from 'zod';
import { OUTPUT_BASES } from '../masses/output-basis.ts';

/** The losses both kinds of trees can minimise. */
export const OBJECTIVES = ['regression', 'regression_l1', 'huber', 'quantile', 'tweedie'] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

const positive = z.number().positive();
const notNegative = z.number().min(0);
const share = z.number().gt(0).max(1);
const count = z.int().min(1);
/** Of a patience in rounds: 0 is no early stopping. */
const rounds = z.int().min(0);

/** Settings that both kinds of trees share. */
const shared = {
  /** What trees are grown for: the components, or mixtures whose squared errors sum to the metric's. */
  outputs: z.enum(OUTPUT_BASES).default('metric'),
  /** Models of different seeds whose predictions are averaged. */
  members: count.default(3),
  /** How far large sessions are weighed down: 0 not at all, 1 all sessions alike. */
  sessionWeight: z.number().min(0).max(1).default(0),
  /** Columns that hold category codes instead of amounts. */
  categorical: z.array(z.int().min(0)).default([]),
  /** Folds of whole sessions on which early stopping finds the number of trees. */
  innerFolds: z.int().min(2).default(5),
  objective: z.enum(OBJECTIVES).default('regression'),
  /** Huber's corner, grams, or the quantile wanted. */
  alpha: positive.default(0.9),
  /** ρ of Tweedie's variance μ^ρ. */
  tweedieVariancePower: z.number().min(1).lt(2).default(1.5),
  learningRate: positive.default(0.05),
};

/**
 * Leaf-wise boosted trees, under LightGBM's names. The defaults are for a few hundred photos with many features:
 * many shallow trees that each see a tenth of the columns, averaged over three seeds.
 */
export const leafwiseBoostSettings = z.strictObject({
  kind: z.literal('leafwise-boost'),
  ...shared,
  numIterations: count.default(800),
  numLeaves: z.int().min(2).default(4),
  /** 0 or less: no limit. */
  maxDepth: z.int().default(2),
  minDataInLeaf: count.default(10),
  minSumHessian: notNegative.default(1e-3),
  minGainToSplit: notNegative.default(0),
  /** Share of the columns that each tree may use. */
  featureFraction: share.default(0.1),
  /** Share of the tree's columns that each node may use. */
  featureFractionByNode: share.default(1),
  baggingFraction: share.default(0.7),
  /** Draws a new bag every so many trees; 0: no bagging. */
  baggingFreq: z.int().min(0).default(1),
  lambdaL1: notNegative.default(0),
  lambdaL2: notNegative.default(5),
  maxBin: z.int().min(2).max(65535).default(255),
  minDataInBin: count.default(3),
  /** Tries one random bound a column instead of all (extremely randomised trees). */
  extraTrees: z.boolean().default(false),
  /** Added to λ₂ for categorical splits of many categories. */
  catL2: notNegative.default(10),
  /** Categories with fewer rows are left out, as sums are divided by Hessian + catSmooth when sorted. */
  catSmooth: notNegative.default(10),
  /** Most categories on the smaller side. */
  maxCatThreshold: count.default(32),
  /** Columns of at most this many categories are split one against the rest. */
  maxCatToOnehot: count.default(4),
  earlyStoppingRound: rounds.default(0),
  /** Starts from the constant that is best, instead of from 0. */
  boostFromAverage: z.boolean().default(true),
});

/**
 * Boosted symmetric trees, under CatBoost's names. By default noise on scores, which small data do not forgive, is
 * off, and splits are scored by squares.
 */
export const obliviousBoostSettings = z.strictObject({
  kind: z.literal('oblivious-boost'),
  ...shared,
  iterations: count.default(600),
  depth: z.int().min(1).max(16).default(3),
  l2LeafReg: notNegative.default(3),
  boostingType: z.enum(['Plain', 'Ordered']).default('Plain'),
  /** Random orders kept for ordered boosting; each tree uses one of them. */
  permutationCount: count.default(4),
  randomStrength: notNegative.default(0),
  baggingTemperature: notNegative.default(0),
  borderCount: z.int().min(1).max(65535).default(254),
  /** Share of the columns each level may use. */
  rsm: share.default(0.1),
  /** How splits are compared: by the cosine between gradients and leaf values, or by the squares they explain. */
  scoreFunction: z.enum(['Cosine', 'L2']).default('L2'),
  /** Classes less one that targets are counted by in the statistics of categories. */
  ctrTargetBorderCount: z.int().min(1).max(255).default(1),
  /** Newton or gradient steps a leaf's value takes. */
  leafEstimationIterations: count.default(1),
  leafEstimationMethod: z.enum(['Newton', 'Gradient']).default('Newton'),
  odWait: rounds.default(0),
});

export type LeafwiseBoostSettings = z.output<typeof leafwiseBoostSettings>;
export type ObliviousBoostSettings = z.output<typeof obliviousBoostSettings>;

/** Settings of the estimators around the trees. */
type OfEstimator = 'kind' | 'outputs' | 'members' | 'sessionWeight' | 'categorical' | 'innerFolds';

/** What one model of leaf-wise trees is trained by. */
export type LeafwiseParameters = Readonly<Omit<LeafwiseBoostSettings, OfEstimator>>;

/** What one model of symmetric trees is trained by. */
export type ObliviousParameters = Readonly<Omit<ObliviousBoostSettings, OfEstimator>>;
