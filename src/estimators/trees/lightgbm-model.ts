import { InputError, ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { type Tree, treeAdder } from './tree.ts';

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
 * Predictions on the targets' scale, [rows, outputs].
 *
 * @throws ShapeError when the matrix is narrower than the model's features
 * @throws InputError for an objective that is no regression
 */
export function predictLightGbm(model: LightGbmModel, inputs: Matrix): Matrix {
  return lightGbmPredictor(model)(inputs);
}

/** As {@link predictLightGbm}, for a model that is used often. */
export function lightGbmPredictor(model: LightGbmModel): (inputs: Matrix) => Matrix {
  const output = outputOf(model.objective);
  const width = model.featureNames.length;
  const parts = Array.from({ length: model.outputs }, (_, k) => {
    const trees = model.trees.filter((_, index) => index % model.outputs === k);
    return { add: treeAdder(trees), share: model.averageOutput && trees.length > 0 ? 1 / trees.length : 1 };
  });
  return (inputs) => {
    if (inputs.columns < width) {
      throw new ShapeError(`the model reads ${width} columns, the inputs have ${inputs.columns}`);
    }
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

/** How predictions follow from scores: as they are, their signed square, or e to their power. */
export type ScoreScale = 'plain' | 'signed-square' | 'exponential';

/** The scale of an objective's scores, as its file names it. @throws InputError for one that is no regression */
export function scoreScale(objective: string): ScoreScale {
  const [name = '', ...parameters] = objective.split(' ');
  if (LOGARITHMIC.includes(name)) return 'exponential';
  if (IDENTITY.includes(name)) return parameters.includes('sqrt') ? 'signed-square' : 'plain';
  throw new InputError('model', `has the objective ${name}`, 'give a regression model');
}

/** From scores to predictions. @throws InputError for an objective that is no regression */
function outputOf(objective: string): (score: number) => number {
  switch (scoreScale(objective)) {
    case 'plain':
      return (score) => score;
    case 'signed-square':
      return (score) => Math.sign(score) * score * score;
    case 'exponential':
      return Math.exp;
  }
}
