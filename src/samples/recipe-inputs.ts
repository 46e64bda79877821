import { type Matrix, takeRows } from '../ground/matrix.ts';
import { type PhotoSet, takePhotos } from './photo-set.ts';

/** What the estimator of a recipe learns from: rows of features, or photos. */
export type RecipeInputs = Matrix | PhotoSet;

/** The inputs of some photos, in the order of `items`. */
export function takeInputs(inputs: RecipeInputs, items: readonly number[]): RecipeInputs {
  return 'paths' in inputs ? takePhotos(inputs, items) : takeRows(inputs, items);
}

/** How many photos the inputs are of. */
export const inputCount = (inputs: RecipeInputs): number =>
  'paths' in inputs ? inputs.paths.length : inputs.rows;
