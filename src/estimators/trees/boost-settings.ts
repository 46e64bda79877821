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
  outputs: z
    .enum(OUTPUT_BASES)
    .default('metric')
    .describe('what trees are grown for: components, or mixtures whose squared errors sum to the metric’s'),
  members: count.default(3).describe('models of different seeds, averaged'),
  sessionWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('how far large sessions are weighed down: 0 not at all, 1 all sessions alike'),
  categorical: z
    .array(z.int().min(0))
    .default([])
    .describe('columns, from 0, that hold category codes instead of amounts'),
  innerFolds: z
    .int()
    .min(2)
    .default(5)
    .describe('folds of whole sessions on which early stopping finds the number of trees'),
  objective: z.enum(OBJECTIVES).default('regression').describe('loss that trees lower'),
  alpha: positive.default(0.9).describe('huber: corner, grams; quantile: the quantile wanted'),
  tweedieVariancePower: z.number().min(1).lt(2).default(1.5).describe('tweedie: ρ of the variance μ^ρ'),
  learningRate: positive.default(0.05).describe('how much of each tree is added'),
};

/**
 * Leaf-wise boosted trees, under LightGBM's names. The defaults are for a few hundred photos with many features:
 * many shallow trees that each see a tenth of the columns, averaged over three seeds.
 */
export const leafwiseBoostSettings = z.strictObject({
  kind: z.literal('leafwise-boost'),
  ...shared,
  numIterations: count.default(800).describe('trees a model'),
  numLeaves: z.int().min(2).default(4).describe('most leaves a tree'),
  maxDepth: z.int().default(2).describe('most levels of a tree; 0 or less: no limit'),
  minDataInLeaf: count.default(10).describe('least photos a leaf'),
  minSumHessian: notNegative.default(1e-3).describe('least sum of second derivatives a leaf'),
  minGainToSplit: notNegative.default(0).describe('least gain of a split'),
  featureFraction: share.default(0.1).describe('share of the columns that each tree may use'),
  featureFractionByNode: share.default(1).describe('share of the tree’s columns that each node may use'),
  baggingFraction: share.default(0.7).describe('share of the photos that a tree sees'),
  baggingFreq: z.int().min(0).default(1).describe('a new bag is drawn every so many trees; 0: no bagging'),
  lambdaL1: notNegative.default(0).describe('absolute penalty on leaf values'),
  lambdaL2: notNegative.default(5).describe('squared penalty on leaf values'),
  maxBin: z.int().min(2).max(65535).default(255).describe('most bins a column'),
  minDataInBin: count.default(3).describe('least photos a bin'),
  extraTrees: z
    .boolean()
    .default(false)
    .describe('tries one random bound a column instead of all (extremely randomised trees)'),
  catL2: notNegative.default(10).describe('added to lambdaL2 for splits of many categories'),
  catSmooth: notNegative
    .default(10)
    .describe('categories with fewer photos are left out; sums are divided by Hessian + this when sorted'),
  maxCatThreshold: count.default(32).describe('most categories on the smaller side of a split'),
  maxCatToOnehot: count
    .default(4)
    .describe('columns of at most so many categories are split one against the rest'),
  earlyStoppingRound: rounds
    .default(0)
    .describe('trees without a better score after which training stops; 0: no early stopping'),
  boostFromAverage: z.boolean().default(true).describe('starts from the best constant instead of from 0'),
});

/**
 * Boosted symmetric trees, under CatBoost's names. By default noise on scores, which small data do not forgive, is
 * off, and splits are scored by squares.
 */
export const obliviousBoostSettings = z.strictObject({
  kind: z.literal('oblivious-boost'),
  ...shared,
  iterations: count.default(600).describe('trees a model'),
  depth: z.int().min(1).max(16).default(3).describe('levels of every tree'),
  l2LeafReg: notNegative.default(3).describe('squared penalty on leaf values'),
  boostingType: z
    .enum(['Plain', 'Ordered'])
    .default('Plain')
    .describe('whether a photo’s gradient is of trees that have seen it (Plain) or not (Ordered)'),
  permutationCount: count.default(4).describe('Ordered: random orders kept, of which each tree uses one'),
  randomStrength: notNegative.default(0).describe('noise on the scores of splits'),
  baggingTemperature: notNegative.default(0).describe('how unevenly photos are weighed at random; 0: alike'),
  borderCount: z.int().min(1).max(65535).default(254).describe('most borders a column'),
  rsm: share.default(0.1).describe('share of the columns that each level may use'),
  scoreFunction: z
    .enum(['Cosine', 'L2'])
    .default('L2')
    .describe('splits are compared by the cosine of gradients and leaf values, or by squares explained'),
  ctrTargetBorderCount: z
    .int()
    .min(1)
    .max(255)
    .default(1)
    .describe('classes less one that targets are counted by in statistics of categories'),
  leafEstimationIterations: count.default(1).describe('steps a leaf’s value takes'),
  leafEstimationMethod: z.enum(['Newton', 'Gradient']).default('Newton').describe('what these steps are'),
  odWait: rounds
    .default(0)
    .describe('trees without a better score after which training stops; 0: no early stopping'),
});

export type LeafwiseBoostSettings = z.output<typeof leafwiseBoostSettings>;
export type ObliviousBoostSettings = z.output<typeof obliviousBoostSettings>;

/** Settings of the estimators around the trees. */
type OfEstimator = 'kind' | 'outputs' | 'members' | 'sessionWeight' | 'categorical' | 'innerFolds';

/** What one model of leaf-wise trees is trained by. */
export type LeafwiseParameters = Readonly<Omit<LeafwiseBoostSettings, OfEstimator>>;

/** What one model of symmetric trees is trained by. */
export type ObliviousParameters = Readonly<Omit<ObliviousBoostSettings, OfEstimator>>;
