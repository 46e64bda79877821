import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { CatBoostModel } from './catboost-model.ts';
import type { LightGbmModel } from './lightgbm-model.ts';
import { originalColumns } from './shap.ts';

/** How much each input column matters to a model. */
export interface Importance {
  /** Sum of the gains of the splits that ask for it. */
  readonly gain: Float64Array;
  /** Number of those splits. */
  readonly splits: Float64Array;
}

/** Gain and split count of each feature of a LightGBM model; all outputs together. */
export function importanceOfLightGbm({ trees, featureNames }: LightGbmModel): Importance {
  const gain = new Float64Array(featureNames.length);
  const splits = new Float64Array(featureNames.length);
  for (const tree of trees) {
    tree.splitFeature.forEach((feature, node) => {
      gain[feature] = (gain[feature] as number) + (tree.splitGain[node] as number);
      splits[feature] = (splits[feature] as number) + 1;
    });
  }
  return { gain, splits };
}

/**
 * Gain and split count of each input column of a CatBoost model. Its files keep no gains: a split's gain is
 * the weighted squared change that it makes between leaf values, summed over outputs, which is CatBoost's
 * PredictionValuesChange before it is made to sum to 100.
 */
export function importanceOfCatBoost(model: CatBoostModel, columns: number): Importance {
  const origin = originalColumns(model);
  const outputs = model.bias.length;
  const gain = new Float64Array(columns);
  const splits = new Float64Array(columns);
  for (const { splits: tests, leafValues, leafWeights } of model.trees) {
    tests.forEach(({ column }, level) => {
      const feature = origin[column] ?? 0;
      splits[feature] = (splits[feature] as number) + 1;
      const bit = 1 << level;
      for (let leaf = 0; leaf < leafWeights.length; leaf++) {
        if (leaf & bit) continue;
        const low = leafWeights[leaf] as number;
        const high = leafWeights[leaf | bit] as number;
        if (low + high === 0) continue;
        for (let k = 0; k < outputs; k++) {
          const a = leafValues[leaf * outputs + k] as number;
          const b = leafValues[(leaf | bit) * outputs + k] as number;
          gain[feature] = (gain[feature] as number) + ((low * high) / (low + high)) * (a - b) ** 2;
        }
      }
    });
  }
  return { gain, splits };
}

/**
 * Permutation importance: how much the score falls, on average, when a column's values are dealt anew to the
 * rows.
 *
 * @param score of the inputs given, higher being better
 */
export function permutationImportance(
  inputs: Matrix,
  score: (inputs: Matrix) => number,
  repeats: number,
  random: RandomStream,
): Float64Array {
  const whole = score(inputs);
  const rows = Array.from({ length: inputs.rows }, (_, row) => row);
  return Float64Array.from({ length: inputs.columns }, (_, column) => {
    let fall = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const order = random.fork(`${column} ${repeat}`).shuffled(rows);
      const data = inputs.data.slice();
      order.forEach((source, row) => {
        data[row * inputs.columns + column] = inputs.data[source * inputs.columns + column] as number;
      });
      fall += (whole - score({ ...inputs, data })) / repeats;
    }
    return fall;
  });
}
