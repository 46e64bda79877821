import type { CatBoostModel } from './catboost-model.ts';

/** Value of a category in CatBoost's key of a table. */
const CATEGORY_VALUE = 'cat_feature_value';

/**
 * The model in CatBoost's JSON format. Numbers are written with as many digits as give the same double again.
 */
export function formatCatBoost(model: CatBoostModel): string {
  const splits = splitTable(model);
  const keyOf = (category: number): string => statisticIdentifier(category);
  const document = {
    model_info: { params: { loss_function: { type: model.lossFunction } } },
    features_info: {
      float_features: model.floats.map(({ flatIndex, name, borders, missing }, index) => ({
        feature_index: index,
        flat_feature_index: flatIndex,
        feature_id: name,
        has_nans: missing !== 'AsIs',
        nan_value_treatment: missing,
        borders,
      })),
      ...(model.categories.length === 0
        ? {}
        : {
            categorical_features: model.categories.map(({ flatIndex, name, oneHot }, index) => ({
              feature_index: index,
              flat_feature_index: flatIndex,
              feature_id: name,
              ...(oneHot.length === 0 ? {} : { values: oneHot }),
            })),
          }),
      ...(model.statistics.length === 0
        ? {}
        : {
            ctrs: model.statistics.map((statistic) => ({
              identifier: keyOf(statistic.category),
              elements: [{ cat_feature_index: statistic.category, combination_element: CATEGORY_VALUE }],
              ctr_type: 'Borders',
              target_border_idx: statistic.targetBorder,
              prior_numerator: statistic.priorNumerator,
              // CatBoost spells it so.
              prior_denomerator: statistic.priorDenominator,
              shift: statistic.shift,
              scale: statistic.scale,
              borders: statistic.borders,
            })),
          }),
    },
    ...(model.statistics.length === 0
      ? {}
      : {
          ctr_data: Object.fromEntries(
            model.categories.flatMap(({ counts }, category) =>
              counts === null
                ? []
                : [
                    [
                      keyOf(category),
                      {
                        counter_denominator: 0,
                        hash_map: [...counts].flatMap(([key, classes]) => [key, ...classes]),
                        hash_stride: 1 + ([...counts.values()][0]?.length ?? 0),
                      },
                    ],
                  ],
            ),
          ),
        }),
    oblivious_trees: model.trees.map((tree) => ({
      leaf_values: [...tree.leafValues],
      leaf_weights: [...tree.leafWeights],
      splits: tree.splits.map(({ column, border }) => splits(column, border)),
    })),
    scale_and_bias: [model.scale, model.bias],
  };
  return `${JSON.stringify(document)}\n`;
}

/** CatBoost's name of the table of a single categorical feature. */
export function statisticIdentifier(category: number): string {
  return JSON.stringify({
    identifier: [{ cat_feature_index: category, combination_element: CATEGORY_VALUE }],
    type: 'Borders',
  });
}

/** Describes a test of a column of the trees' matrix, with its number among all tests of the model. */
function splitTable(model: CatBoostModel): (column: number, border: number) => object {
  const floatStarts = runningSum(model.floats.map(({ borders }) => borders.length));
  const oneHot = model.categories.flatMap(({ oneHot: hashes }, category) =>
    hashes.map((value) => ({ category, value })),
  );
  const afterFloats = floatStarts.at(-1) ?? 0;
  const statisticStarts = runningSum(model.statistics.map(({ borders }) => borders.length));
  return (column, border) => {
    const float = model.floats[column];
    if (float) {
      return {
        border,
        float_feature_index: column,
        split_index: (floatStarts[column] ?? 0) + float.borders.indexOf(border),
        split_type: 'FloatFeature',
      };
    }
    const indicator = oneHot[column - model.floats.length];
    if (indicator) {
      return {
        cat_feature_index: indicator.category,
        split_index: afterFloats + column - model.floats.length,
        split_type: 'OneHotFeature',
        value: indicator.value,
      };
    }
    const index = column - model.floats.length - oneHot.length;
    const statistic = model.statistics[index];
    if (!statistic) throw new RangeError(`a tree asks for column ${column}, which the model does not have`);
    return {
      border,
      ctr_target_border_idx: statistic.targetBorder,
      split_index:
        afterFloats + oneHot.length + (statisticStarts[index] ?? 0) + statistic.borders.indexOf(border),
      split_type: 'OnlineCtr',
    };
  };
}

/** Sums of the numbers before each, and of all at the end. */
function runningSum(counts: readonly number[]): number[] {
  const sums = [0];
  for (const count of counts) sums.push((sums.at(-1) ?? 0) + count);
  return sums;
}
