import { UsageError } from '../../ground/errors.ts';
import { featureSetsOf, type Matrix } from '../../ground/matrix.ts';
import { DESCRIPTOR_NAMES } from '../../vision/descriptors/index.ts';
import type { LeafwiseBoostSettings, ObliviousBoostSettings } from './boost-settings.ts';
import { type CatBoostModel, hasLogarithmicScores } from './catboost-model.ts';
import { readComponents } from './leafwise-boost.ts';
import { type LightGbmModel, scoreScale } from './lightgbm-model.ts';
import { readModel } from './oblivious-boost.ts';
import { explainCatBoost, explainLightGbm } from './shap.ts';

/** What a trained estimator of trees keeps: a model of each component, or one of all three, in grams. */
export type Forest = readonly LightGbmModel[] | CatBoostModel;

/** How much a column moves predictions of Total: the mean over the photos of the size of its Shapley value, grams. */
export interface ColumnEffect {
  readonly column: string;
  readonly meanAbsolute: number;
}

/** The trees of a fitted model, from its folder. @throws InputError when they cannot be read */
export function readForest(
  kind: LeafwiseBoostSettings['kind'] | ObliviousBoostSettings['kind'],
  folder: string,
): Promise<Forest> {
  return kind === 'leafwise-boost' ? readComponents(folder) : readModel(folder);
}

/**
 * Names of a feature matrix's columns: those of the descriptors, and of other feature sets the set's name with the
 * column's number from 1 up.
 */
export function columnNames(matrix: Matrix): string[] {
  return featureSetsOf(matrix).flatMap(({ name, columns }) =>
    Array.from({ length: columns }, (_, column) =>
      name === 'descriptors' && columns === DESCRIPTOR_NAMES.length
        ? (DESCRIPTOR_NAMES[column] as string)
        : `${name} ${column + 1}`,
    ),
  );
}

/**
 * What columns do to predictions of Total, the largest effect first. Shapley values of green, dead and clover add up
 * to those of their sum, before negative components are cut off at 0.
 *
 * @param matrix the photos to explain, one row each
 * @param names one a column; the values of columns of the same name are added up first, so that they count together
 * @throws ShapeError when the matrix is too narrow
 * @throws UsageError for objectives whose scores are not grams
 */
export function explainForest(forest: Forest, matrix: Matrix, names: readonly string[]): ColumnEffect[] {
  const inGrams =
    'floats' in forest
      ? !hasLogarithmicScores(forest)
      : forest.every(({ objective }) => scoreScale(objective) === 'plain');
  if (!inGrams) {
    throw new UsageError(
      'trees whose scores are logarithms or roots have no contributions in grams; train with objective=regression',
    );
  }
  const parts =
    'floats' in forest
      ? forest.bias.map((_, output) => explainCatBoost(forest, matrix, output))
      : forest.map((model) => explainLightGbm(model, matrix));
  const places = [...new Set(names)];
  const placeOf = new Map(places.map((name, at) => [name, at]));
  const place = names.map((name) => placeOf.get(name) as number);
  const effects = new Float64Array(places.length);
  for (let row = 0; row < matrix.rows; row++) {
    const own = new Float64Array(places.length);
    for (const { contributions } of parts) {
      const { columns, data } = contributions;
      place.forEach((at, column) => {
        own[at] = (own[at] as number) + (data[row * columns + column] as number);
      });
    }
    own.forEach((value, at) => {
      effects[at] = (effects[at] as number) + Math.abs(value) / matrix.rows;
    });
  }
  return places
    .map((column, at) => ({ column, meanAbsolute: effects[at] as number }))
    .sort((a, b) => b.meanAbsolute - a.meanAbsolute);
}
