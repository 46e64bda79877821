import { basename } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { changesFrom } from '../../ground/setting-change.ts';
import type { TargetName } from '../../pasture/targets.ts';
import { type FoldTrees, readFoldTrees, type TreeFile, treeFile } from '../../recipes/imported-trees.ts';
import { makeRecipe, type RecipeChanges } from '../../recipes/recipe.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import type { FoldPlan } from '../../runs/fold-plan.ts';
import type { RunResults } from '../../runs/results.ts';
import type { TrainingSource } from '../../runs/training-data.ts';
import { type ImportedFolds, makeFolds, trainPart } from './train.ts';

/** Which models of trees make up a run, and what they were trained on. */
export interface ImportTreesOptions {
  /** LightGBM's text or CatBoost's JSON models, whose names say fold and mass: `fold0_Dry_Green_g.txt`. */
  readonly models: readonly string[];
  /** Name or file of a recipe of boosted trees: `feature-boost`, `descriptor-boost`. */
  readonly recipe: string;
  /** Settings in which it is to differ from its own. */
  readonly settings?: RecipeChanges;
  /** The backbone whose features the models read, where they do not read feature files or descriptors. */
  readonly backbone?: string;
  /** A data folder, or features with their labels. */
  readonly source: string | TrainingSource;
  /** The masses that models of several outputs predict, in their order. */
  readonly outputs?: readonly TargetName[];
  /** The folds the models were trained with. */
  readonly plan: Partial<FoldPlan> & { readonly folds: string };
  /** Run folder to write. */
  readonly out: string;
  readonly overwrite?: boolean;
  readonly progress?: Progress;
}

/** An imported run of trees, and the files of each fold. */
export interface ImportedTrees {
  readonly results: RunResults;
  readonly folds: readonly { readonly files: readonly string[] }[];
}

/**
 * Makes a run of boosted trees that LightGBM or CatBoost trained: every photo is predicted by the models of the fold that
 * holds it out. Models are checked against the features before anything is written.
 *
 * @throws InputError when a model, the data or the folds cannot be used, or do not fit each other
 * @throws UsageError when the recipe does not suit, or models are missing
 */
export async function importTrees(options: ImportTreesOptions): Promise<ImportedTrees> {
  const { models, plan, out, overwrite = false, progress = SILENT, outputs = [] } = options;
  const source =
    typeof options.source === 'string'
      ? ({ kind: 'folder', folder: options.source } as const)
      : options.source;
  const files = models.map(treeFile);
  const recipe = await importRecipe(options, files);
  const rows = await makeFolds(source, plan);
  const count = Math.max(...rows.map(({ fold }) => fold)) + 1;
  const beyond = files.find(({ fold }) => fold >= count);
  if (beyond !== undefined) {
    throw new UsageError(
      `${beyond.path} is of fold ${beyond.fold}, but ${plan.folds} has folds 0 to ${count - 1}`,
    );
  }
  const folds: FoldTrees[] = [];
  for (let fold = 0; fold < count; fold++) {
    const own = files.filter((file) => file.fold === fold);
    if (own.length === 0) {
      throw new UsageError(`no model is of fold ${fold}, but ${plan.folds} has folds 0 to ${count - 1}`);
    }
    folds.push(await readFoldTrees(own, outputs));
  }
  let columns = 0;
  const imported: ImportedFolds = {
    checkpoints: await fingerprints(files),
    async check(samples) {
      const features = await samples.features();
      columns = features.columns;
      for (const { check } of folds) check(features);
    },
    write: (fold, folder) => (folds[fold] as FoldTrees).write(folder, columns),
  };
  // What an interrupted import has written is the same as would be written again.
  const results = await trainPart({
    source,
    recipe,
    out,
    plan,
    imported,
    progress,
    overwrite,
    resume: true,
  });
  return { results, folds: folds.map(({ files: own }) => ({ files: own })) };
}

/** @throws UsageError when it is none of boosted trees, or changes features or masses around them */
async function importRecipe(
  { recipe: name, settings = {}, backbone }: ImportTreesOptions,
  files: readonly TreeFile[],
): Promise<Recipe> {
  const [first] = files;
  if (first === undefined) throw new UsageError('give models of trees');
  const other = files.find(({ library }) => library !== first.library);
  if (other !== undefined) {
    throw new UsageError(
      `${first.path} is of ${first.library}, ${other.path} of ${other.library}; import them apart`,
    );
  }
  const kind = first.library === 'LightGBM' ? 'leafwise-boost' : 'oblivious-boost';
  const plain = await makeRecipe(name, changesFrom(settings));
  if (plain.estimator.kind !== 'leafwise-boost' && plain.estimator.kind !== 'oblivious-boost') {
    throw new UsageError(
      `recipe ${name} is not of boosted trees; those are imported into feature-boost or descriptor-boost`,
    );
  }
  const recipe = await makeRecipe(name, [
    ...(plain.estimator.kind === kind ? [] : changesFrom({ estimator: { kind } })),
    ...(backbone === undefined ? [] : changesFrom({ backbone })),
    ...changesFrom(settings),
    ...changesFrom({ evaluation: { leaveOneStateOut: false } }),
  ]);
  if (recipe.reduction.kind === 'none' && recipe.transform.kind === 'none') return recipe;
  throw new UsageError(
    `recipe ${name}: trees made elsewhere read features as they are; leave reduction and transform none`,
  );
}

/** @throws UsageError when two files are the same */
async function fingerprints(files: readonly TreeFile[]): Promise<ImportedFolds['checkpoints']> {
  const known = new Map<string, string>();
  const all: { readonly file: string; readonly sha256: string; readonly fold: number }[] = [];
  const inOrder = [...files].sort((a, b) => a.fold - b.fold || (a.path < b.path ? -1 : 1));
  for (const { path, fold } of inOrder) {
    const sha256 = await fileFingerprint(path);
    const same = known.get(sha256);
    if (same !== undefined)
      throw new InputError(path, `is the same as ${same}`, 'give each fold and mass its own');
    known.set(sha256, path);
    all.push({ file: basename(path), sha256, fold });
  }
  return all;
}
