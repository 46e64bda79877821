import { type Setting, settingsOf } from '../../ground/setting-list.ts';
import { RECIPE_SUMMARIES } from '../../recipes/known-recipes.ts';
import { makeRecipe, SHORTHANDS, trainsOnPhotos, unknownRecipe } from '../../recipes/recipe.ts';
import { type Recipe, recipeSchema } from '../../recipes/recipe-schema.ts';
import type { ListedRecipe } from './list-recipes.ts';

/** A setting of a recipe. */
export interface RecipeSetting {
  /** As `--set` takes it: `estimator.optimizer.rate`; `[]` stands for a place in a list. */
  readonly setting: string;
  /** What it is where it is not set; null where there is nothing. */
  readonly default: unknown;
  /** What it may be, in words. */
  readonly values: string;
  /** What it says, in a few words. */
  readonly meaning: string;
  /** What must be set for it to be there, as `reduction.kind=pca`; null where it is there as it is. */
  readonly needs: string | null;
}

/** A recipe with all that can be set of it. */
export interface DescribedRecipe extends ListedRecipe {
  readonly settings: readonly RecipeSetting[];
}

/**
 * A recipe with every setting that it has as it is, and those that a reduction, a transform or a backbone brings.
 *
 * @throws UsageError when no recipe is called so
 */
export async function describeRecipe(name: string): Promise<DescribedRecipe> {
  const summary = RECIPE_SUMMARIES[name];
  if (!Object.hasOwn(RECIPE_SUMMARIES, name) || !summary) throw unknownRecipe(name);
  const recipe = await makeRecipe(name);
  const onFeatures = recipe.input.kind === 'features';
  const { input } = onFeatures ? await makeRecipe(name, { backbone: 'NAME' }) : recipe;
  const settings = [...(onFeatures ? SHORTHANDS : []), ...settingsOf(recipeSchema)];
  return {
    name,
    ...summary,
    settings: settings
      .filter((setting) => belongs(setting, recipe))
      .map(({ path, meaning, values, standard, ofKinds }) => {
        const own = ofKinds.at(-1);
        const isThere = !own || valuesAt(recipe, own.path).includes(own.kind);
        const found = valuesAt(path.startsWith('input.') ? { input } : recipe, path);
        const known = path.includes('[]') ? found : found[0];
        return {
          setting: path,
          default: (isThere || path.startsWith('input.') ? known : undefined) ?? standard ?? null,
          values,
          meaning,
          needs: isThere ? null : path.startsWith('input.') ? 'backbone=NAME' : `${own.path}=${own.kind}`,
        };
      }),
  };
}

/** What `backbone` and `extra` write. */
const WRITTEN_BY_SHORTHANDS = ['name', 'input.kind', 'input.backbone', 'input.sets'];

/** Whether a recipe has a setting, as it is or with a reduction, transform or backbone. */
function belongs({ path, ofKinds }: Setting, recipe: Recipe): boolean {
  const { kind } = recipe.estimator;
  if (WRITTEN_BY_SHORTHANDS.some((name) => path === name || path.startsWith(`${name}[]`))) return false;
  if (path.startsWith('input.')) return recipe.input.kind === 'features';
  const changesRows = path.startsWith('reduction.') || path.startsWith('transform.');
  if (changesRows && trainsOnPhotos(recipe)) return false;
  if (path.startsWith('reduction.') && (kind === 'stack' || kind === 'view-average')) return false;
  return ofKinds.every(
    (own) =>
      /(^|\.)(reduction|transform)\.kind$/.test(own.path) || valuesAt(recipe, own.path).includes(own.kind),
  );
}

/** The values at a path: several where it leads through a list. */
function valuesAt(value: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (values, part) =>
      values.flatMap((inner) => {
        if (typeof inner !== 'object' || inner === null) return [];
        const found: unknown = Reflect.get(inner, part.replace('[]', ''));
        if (part.endsWith('[]')) return Array.isArray(found) ? (found as unknown[]) : [];
        return found === undefined ? [] : [found];
      }),
    [value],
  );
}
