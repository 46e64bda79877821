import { RECIPE_SUMMARIES, type RecipeSummary } from '../../recipes/known-recipes.ts';

/** A recipe that comes with sward. */
export interface ListedRecipe extends RecipeSummary {
  readonly name: string;
}

/** The recipes that come with sward, with what they read, what they learn with, and roughly what they cost. */
export function listRecipes(): ListedRecipe[] {
  return Object.entries(RECIPE_SUMMARIES).map(([name, summary]) => ({ name, ...summary }));
}
