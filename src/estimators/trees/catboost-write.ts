import { allTests, type CatBoostModel } from './catboost-model.ts';

/** Value of a category in CatBoost's key of a table. */
const CATEGORY_VALUE = 'cat_feature_value';

/**
 * The model in CatBoost's JSON format. Numbers are written with as many digits as give the same double again.
 */
export function formatCatBoost(model: CatBoostModel): string {
  const splits = new Map(
    allTests(model).map(({ column, border, type, names: { value, ...names } }, index) => [
      `${column} ${border}`,
      {
        ...(value === undefined && { border }),
        ...names,
        split_index: index,
        split_type: type,
        ...(value !== undefined && { value }),
      },
    ]),
  );
  const some = <Item>(items: readonly Item[]): readonly Item[] | undefined =>
    items.length > 0 ? items : undefined;
  const tables = model.categories.flatMap(({ counts }, category) =>
    counts === null
      ? []
      : [
          [
            statisticIdentifier(category),
            {
              counter_denominator: 0,
              hash_map: [...counts].flatMap(([key, classes]) => [key, ...classes]),
              hash_stride: 1 + ([...counts.values()][0]?.length ?? 0),
            },
          ],
        ],
  );
  // What is undefined is left out of JSON.
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
      categorical_features: some(
        model.categories.map(({ flatIndex, name, oneHot }, index) => ({
          feature_index: index,
          flat_feature_index: flatIndex,
          feature_id: name,
          values: some(oneHot),
        })),
      ),
      ctrs: some(
        model.statistics.map((statistic) => ({
          identifier: statisticIdentifier(statistic.category),
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
      ),
    },
    ctr_data: model.statistics.length > 0 ? Object.fromEntries(tables) : undefined,
    oblivious_trees: model.trees.map((tree) => ({
      leaf_values: [...tree.leafValues],
      leaf_weights: [...tree.leafWeights],
      splits: tree.splits.map(({ column, border }) => {
        const split = splits.get(`${column} ${border}`);
        if (!split) throw new RangeError(`a tree asks for column ${column}, which the model does not have`);
        return split;
      }),
    })),
    scale_and_bias: [model.scale, model.bias],
  };
  return `${JSON.stringify(document)}\n`;
}

/** CatBoost's name of the table of a single categorical feature. */
function statisticIdentifier(category: number): string {
  return JSON.stringify({
    identifier: [{ cat_feature_index: category, combination_element: CATEGORY_VALUE }],
    type: 'Borders',
  });
}
