import { InputError, ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { treeAdder } from './forest.ts';
import type { Tree } from './tree.ts';

/** What a LightGBM text file holds. */
export interface LightGbmModel {
  /** As the file names it, with its parameters: `regression`, `tweedie`, `quantile`, `regression sqrt` … */
  readonly objective: string;
  /** Outputs a row; tree t belongs to output t mod `outputs`. */
  readonly outputs: number;
  readonly trees: readonly Tree[];
  readonly featureNames: readonly string[];
  /** `[low:high]` for numbers, `0:3:1` for categories, `none` for unused columns. */
  readonly featureInfos: readonly string[];
  /** Whether an output is the mean of its trees instead of their sum (random forests). */
  readonly averageOutput: boolean;
  /** Lines between `parameters:` and `end of parameters`. */
  readonly parameters: readonly string[];
}

/** Objectives whose scores are predictions. */
const IDENTITY = ['regression', 'regression_l1', 'huber', 'fair', 'quantile', 'mape', 'custom', 'none', ''];
/** Objectives whose scores are logarithms of predictions. */
const LOGARITHMIC = ['poisson', 'gamma', 'tweedie'];

/**
 * Prepares a model for use; the function returned predicts on the targets' scale, [rows, outputs], and throws a
 * ShapeError when the inputs are narrower than the model's features.
 *
 * @throws InputError for an objective that is no regression
 */
export function lightGbmPredictor(model: LightGbmModel): (inputs: Matrix) => Matrix {
  const output = OUTPUTS[scoreScale(model.objective)];
  const parts = Array.from({ length: model.outputs }, (_, k) => {
    const { trees, share } = treesOf(model, k);
    return { add: treeAdder(trees), share };
  });
  return (inputs) => {
    requireColumns(model, inputs);
    const data = new Float64Array(inputs.rows * model.outputs);
    parts.forEach(({ add, share }, k) => {
      const scores = new Float64Array(inputs.rows);
      add(inputs, scores);
      scores.forEach((score, row) => {
        data[row * model.outputs + k] = output(score * share);
      });
    });
    return { rows: inputs.rows, columns: model.outputs, data };
  };
}

/** The trees of an output, and what each counts for. */
export function treesOf(
  { trees, outputs, averageOutput }: LightGbmModel,
  output: number,
): { readonly trees: readonly Tree[]; readonly share: number } {
  const own = trees.filter((_, index) => index % outputs === output);
  return { trees: own, share: averageOutput && own.length > 0 ? 1 / own.length : 1 };
}

/** @throws ShapeError when the inputs are narrower than the model's features */
export function requireColumns({ featureNames: { length } }: LightGbmModel, { columns }: Matrix): void {
  if (columns < length) throw new ShapeError(`the model reads ${length} columns, the inputs have ${columns}`);
}

/** How predictions follow from scores: as they are, their signed square, or e to their power. */
type ScoreScale = 'plain' | 'signed-square' | 'exponential';

/** The scale of an objective's scores, as its file names it. @throws InputError for one that is no regression */
export function scoreScale(objective: string): ScoreScale {
  const [name = '', ...parameters] = objective.split(' ');
  if (LOGARITHMIC.includes(name)) return 'exponential';
  if (IDENTITY.includes(name)) return parameters.includes('sqrt') ? 'signed-square' : 'plain';
  throw new InputError('model', `has the objective ${name}`, 'give a regression model');
}

/** @throws InputError naming the file and its objective, for one that is no regression */
export function requireRegression({ objective }: LightGbmModel, where: string): void {
  try {
    scoreScale(objective);
  } catch {
    throw new InputError(where, `has the objective ${objective}`, 'give a regression model');
  }
}

/** From scores to predictions. */
const OUTPUTS: Readonly<Record<ScoreScale, (score: number) => number>> = {
  plain: (score) => score,
  'signed-square': (score) => Math.sign(score) * score * score,
  exponential: Math.exp,
};
