import { basename } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { changesFrom } from '../../ground/setting-change.ts';
import {
  hasOwnBackbone,
  importTarget,
  type NetworkCheckpoint,
  openNetworkCheckpoint,
  requireNetwork,
  writeImported,
} from '../../recipes/imported-network.ts';
import { makeRecipe, type RecipeChanges } from '../../recipes/recipe.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import type { FoldPlan } from '../../runs/fold-plan.ts';
import type { RunResults } from '../../runs/results.ts';
import { type ImportedFolds, makeFolds, trainPart } from './train.ts';

/** Which checkpoints make up a run, and what they were trained with. */
export interface ImportOptions {
  /** Files of `torch.save` or of safetensors, that of fold 0 first. */
  readonly checkpoints: readonly string[];
  /** Name or file of a network's recipe. */
  readonly recipe: string;
  /** Settings in which it is to differ from its own. */
  readonly settings?: RecipeChanges;
  /** The backbone the checkpoints' own were trained from, or which their heads read. */
  readonly backbone: string;
  /** Data folder. */
  readonly data: string;
  /** The folds the checkpoints were trained with. */
  readonly plan: Partial<FoldPlan> & { readonly folds: string };
  /** Run folder to write. */
  readonly out: string;
  readonly overwrite?: boolean;
  readonly progress?: Progress;
}

/** An imported run, and what each fold was made of. */
export interface ImportedRun {
  readonly results: RunResults;
  readonly folds: readonly {
    readonly file: string;
    /** Keys of the checkpoint that its state dict was found under. */
    readonly within: readonly string[];
  }[];
  /** Whether each fold has a backbone of its own. */
  readonly ownBackbones: boolean;
}

/**
 * Makes a run of networks that PyTorch trained: fold K's model is the K-th checkpoint, and every photo is predicted by
 * the model of the fold that holds it out. Checkpoints are checked before anything is written.
 *
 * @throws InputError when a checkpoint, the data or the folds cannot be used, or do not fit each other
 * @throws UsageError when the recipe does not suit, or there is not one checkpoint a fold
 */
export async function importRun(options: ImportOptions): Promise<ImportedRun> {
  const { checkpoints, data, plan, out, overwrite = false, progress = SILENT } = options;
  const source = { kind: 'folder', folder: data } as const;
  const rows = await makeFolds(source, plan);
  const folds = Math.max(...rows.map(({ fold }) => fold)) + 1;
  if (checkpoints.length !== folds) {
    throw new UsageError(
      `${plan.folds} has ${folds} folds, but ${checkpoints.length} checkpoints are given; give one a fold, that of ` +
        'fold 0 first',
    );
  }
  const opened: NetworkCheckpoint[] = [];
  for (const path of checkpoints) opened.push(await openNetworkCheckpoint(path));
  const ownBackbones = haveBackbones(opened);
  const recipe = await importRecipe(options, ownBackbones);
  const target = await importTarget(recipe);
  for (const checkpoint of opened) requireNetwork(target, checkpoint);
  const imported: ImportedFolds = {
    checkpoints: await fingerprints(checkpoints, progress),
    write: (fold, folder) => writeImported(target, opened[fold] as NetworkCheckpoint, folder),
  };
  // What an interrupted import has written is the same as would be written again.
  const results = await trainPart({ source, recipe, out, plan, imported, progress, overwrite, resume: true });
  return {
    results,
    folds: opened.map(({ path, within }) => ({ file: path, within })),
    ownBackbones,
  };
}

/**
 * The recipe of networks that are there already: nothing of how they are trained may ask for training.
 *
 * @throws UsageError when it is none of a network
 */
async function importRecipe(
  { recipe, settings = {}, backbone }: ImportOptions,
  ownBackbones: boolean,
): Promise<Recipe> {
  const named = changesFrom({ backbone });
  const { name, estimator } = await makeRecipe(recipe, [...named, ...changesFrom(settings)]);
  if (estimator.kind !== 'network') {
    throw new UsageError(
      `recipe ${name} is no network; checkpoints are imported into those, such as seed2 or seed1`,
    );
  }
  return makeRecipe(recipe, [
    ...named,
    // Rounding would make the predictions others than PyTorch's; whoever wants smaller files may ask for them.
    ...changesFrom({ estimator: { storage: 'fp32' } }),
    ...changesFrom(settings),
    ...changesFrom({
      estimator: {
        members: 1,
        fineTune: { mode: ownBackbones ? 'full' : 'none' },
        ...(!ownBackbones && { augmentation: 'none' }),
      },
      evaluation: { leaveOneStateOut: false },
    }),
  ]);
}

/** @throws InputError when some checkpoints hold a backbone and others none */
function haveBackbones(checkpoints: readonly NetworkCheckpoint[]): boolean {
  const [first] = checkpoints;
  const own = first !== undefined && hasOwnBackbone(first);
  const other = checkpoints.find((checkpoint) => hasOwnBackbone(checkpoint) !== own);
  if (other === undefined) return own;
  const [having, lacking] = own ? [first, other] : [other, first];
  throw new InputError(
    lacking?.path ?? '',
    `holds heads alone, but ${having?.path} a backbone too`,
    'give checkpoints of one training',
  );
}

/** @throws UsageError when two files are the same */
async function fingerprints(
  paths: readonly string[],
  progress: Progress,
): Promise<{ readonly file: string; readonly sha256: string }[]> {
  const known = new Map<string, string>();
  const all: { readonly file: string; readonly sha256: string }[] = [];
  progress.stage('Reading checkpoints', paths.length, 'files');
  for (const path of paths) {
    const sha256 = await fileFingerprint(path);
    const same = known.get(sha256);
    if (same !== undefined) throw new UsageError(`${same} and ${path} are the same; give each fold its own`);
    known.set(sha256, path);
    all.push({ file: basename(path), sha256 });
    progress.advance();
  }
  progress.done();
  return all;
}
