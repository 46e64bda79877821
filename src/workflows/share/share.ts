import { copyFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../ground/errors.ts';
import { isInside, makeFolder, writeFileAtomically } from '../../ground/files.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import { runCard } from '../../report/run-card.ts';
import { storedCalibration } from '../../runs/calibration.ts';
import { CALIBRATION, writeCalibration } from '../../runs/calibration-file.ts';
import { measuredCases, withoutCovariates } from '../../runs/covariate-cases.ts';
import { type AboutRun, readManifest, requireData, type TrainedManifest } from '../../runs/manifest.ts';
import { openRun } from '../../runs/open-run.ts';
import { CARD, FOLD_FOLDERS, isResult } from '../../runs/run-files.ts';
import { type FolderContents, isRunFolder, RunFolder } from '../../runs/run-folder.ts';
import { TrainedRun } from '../../runs/trained-run.ts';
import { copyTrainingPhotos, TRAINING_PHOTOS } from '../../runs/training-photos.ts';

/** What the person who passes a run on says of it. */
export type ToldOfRun = Pick<AboutRun, 'what' | 'licence' | 'attribution'>;

/** What is passed on, and where to. */
export interface ShareOptions {
  /** Folder of a finished trained run. */
  readonly run: string;
  /** Folder to write. */
  readonly out: string;
  /** What its receiver is told of it. */
  readonly about: ToldOfRun;
  /** Whether a run that is in the folder already is replaced. */
  readonly overwrite?: boolean;
}

/** What of a run is needed to predict: its models, and its record of what it was trained on, by features alone. */
const PASSED_ON = /^(fold-\d+\/.+|domain\.safetensors)$/;

const CONTENTS: FolderContents = {
  derived: isResult,
  essential: [CALIBRATION, CARD],
  resumable: FOLD_FOLDERS,
  // Whoever passes a run on may put its licence there first.
  beside: /^LICEN[CS]E(\.\w+)?$/,
};

/**
 * Copies a run to be passed on without its data: models, intervals and the out-of-domain record, with a card. No photo,
 * no id, no table of masses and no path of this machine is in it (what a model fits closely can be worked out of it). It predicts as the run does, with the same intervals;
 * what needs out-of-fold predictions (reports, ensembles, comparisons) it cannot be asked.
 *
 * @returns the manifest that was written
 * @throws UsageError for an ensemble, or when `out` holds something else
 * @throws InputError when the run is unfinished or damaged
 */
export async function shareRun({
  run,
  out,
  about,
  overwrite = false,
}: ShareOptions): Promise<TrainedManifest> {
  for (const name of ['what', 'licence', 'attribution'] as const) {
    const said: unknown = about?.[name];
    if (typeof said === 'string' && said.trim() !== '') continue;
    throw new UsageError(`about.${name} is empty: say what the run is, its licence, and whom to name`);
  }
  await using opened = await openRun(run);
  if (!(opened instanceof TrainedRun)) {
    throw new UsageError(`${run} is ${opened.name}; pass on trained runs, one by one`);
  }
  const [own, target] = [await realpath(opened.folder), await realPathOf(out)];
  if (target === own || isInside(own, target)) {
    throw new UsageError(`--out ${out} lies in the run itself; choose another folder`);
  }
  await requireNoRun(out, about, overwrite);
  const { manifest } = opened;
  requireData(run, manifest);
  const results = await opened.results();
  const { imported: _, ...kept } = manifest;
  const passedOn: TrainedManifest = {
    ...kept,
    recipe: withoutPaths(manifest.recipe),
    data: {
      ...manifest.data,
      source: null,
      sets: opened.sets.map(({ weights, columns, name }) => ({
        name,
        columns,
        weights: weights && withoutPath(weights),
      })),
    },
    about: {
      ...about,
      sessions: new Set(results.rows.map(({ session }) => session)).size,
      weighted_r2: withoutCovariates(results).outOfFold.weightedR2,
      ...(results.cases && {
        with: measuredCases(results).map(({ covariates, outOfFold }) => ({
          covariates: [...covariates],
          weighted_r2: outOfFold.weightedR2,
        })),
      }),
    },
    files: {},
  };
  const folder = await RunFolder.begin(out, passedOn, CONTENTS, { overwrite, resume: true });
  if (!folder) return passedOn;
  try {
    const files = Object.keys(manifest.files).filter((file) => PASSED_ON.test(file));
    for (const file of files) {
      await makeFolder(dirname(join(out, file)));
      await copyFile(join(opened.folder, file), join(out, file));
    }
    await copyTrainingPhotos(opened.folder, out);
    await writeCalibration(out, storedCalibration(results));
    await writeFileAtomically(join(out, CARD), runCard(passedOn, results, about));
    await folder.complete([...files, TRAINING_PHOTOS, CALIBRATION]);
    return passedOn;
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await folder.release();
  }
}

/** The path behind links, as far as it is there. */
async function realPathOf(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch(() => null);
  if (real !== null || dirname(whole) === whole) return real ?? whole;
  return join(await realPathOf(dirname(whole)), basename(whole));
}

/** @throws UsageError where a run with its data lies, or one that was passed on with other words */
async function requireNoRun(out: string, about: ToldOfRun, overwrite: boolean): Promise<void> {
  if (!(await isRunFolder(out))) return;
  const there = await readManifest(out).catch(() => null);
  if (there?.kind !== 'trained' || there.data.source !== null) {
    throw new UsageError(`${out} holds a run with its data; choose another --out`);
  }
  if (overwrite || there.status !== 'complete') return;
  const { what, licence, attribution } = about;
  if (isDeepStrictEqual({ ...there.about, what, licence, attribution }, there.about)) return;
  throw new UsageError(
    `${out} holds a run that says something else of itself; pass --overwrite to replace it`,
  );
}

type UsedWeights = NonNullable<TrainedManifest['data']['sets'][number]['weights']>;

/** Weights that were a file as a file beside the run, wherever it lay. */
const withoutPath = ({ source, sha256, file }: UsedWeights): UsedWeights =>
  file === null
    ? { source, sha256, file }
    : { source: `file ${basename(file)}`, sha256, file: basename(file) };

/** A recipe whose files of weights have lost their folders. */
function withoutPaths(recipe: Recipe): Recipe {
  const { input } = recipe;
  const bare = <Set extends { readonly kind: string }>(set: Set): Set =>
    'backbone' in set && typeof set.backbone === 'string' && isFilePath(set.backbone)
      ? { ...set, backbone: basename(set.backbone) }
      : set;
  return {
    ...recipe,
    input: input.kind === 'several' ? { ...input, sets: input.sets.map(bare) } : bare(input),
  };
}

const isFilePath = (name: string): boolean =>
  isAbsolute(name) || /^[.\\/]|\.(safetensors|pth|pt|bin)$/.test(name);
