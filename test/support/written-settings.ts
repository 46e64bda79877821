import { parseChange } from '../../src/ground/setting-change.ts';
import { makePretrainSettings, type PretrainSettings } from '../../src/networks/settings/pretrain.ts';
import { makeRecipe } from '../../src/recipes/recipe.ts';
import type { Recipe } from '../../src/recipes/recipe-schema.ts';

/** A recipe with settings changed as `--set` writes them, `path=value`. */
export const resolveRecipe = async (nameOrFile: string, changes: readonly string[]): Promise<Recipe> =>
  makeRecipe(nameOrFile, changes.map(parseChange));

/** Settings of a pretraining, changed likewise. */
export const resolvePretrainSettings = (changes: readonly string[]): PretrainSettings =>
  makePretrainSettings(changes.map(parseChange));
