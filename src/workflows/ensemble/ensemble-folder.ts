import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { strataOf, writeFolds } from '../../data/folds/index.ts';
import type { FittedPipeline, PipelineSettings } from '../../estimators/combination/pipeline.ts';
import { UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { packageVersion } from '../../ground/version.ts';
import type { Targets } from '../../pasture/targets.ts';
import { ensembleName, STACK_FOLDER } from '../../runs/ensemble-run.ts';
import { STATES_OUT, type StateOutRow } from '../../runs/leave-one-state-out.ts';
import { type EnsembleManifest, frameAreaOf, RUN_FORMAT, requireData } from '../../runs/manifest.ts';
import { openRun } from '../../runs/open-run.ts';
import { FOLDS, OUT_OF_FOLD } from '../../runs/out-of-fold.ts';
import { writePredictedRows } from '../../runs/predicted-rows.ts';
import { ensembleResults } from '../../runs/read-results.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { type FolderContents, RunFolder } from '../../runs/run-folder.ts';
import { type EnsembleFacts, SCORES } from '../../runs/scores.ts';
import { movedSource, pathFrom, photoFolder } from '../../runs/training-data.ts';
import { reportPath, writeMissingReport, writeRunReport } from '../report/write-report.ts';
import type { AlignedMembers } from './ensemble-members.ts';

/** `run.json` of an ensemble about to be written to `out`. */
export function ensembleManifest(
  out: string,
  { members, photos }: AlignedMembers,
  { combination, steps }: PipelineSettings,
  pipeline: FittedPipeline,
  seed: number,
): EnsembleManifest {
  const entries = members.map(({ run, manifest }) => ({
    run: pathFrom(out, run),
    recipe: manifest.recipe.name,
    fingerprint: manifest.fingerprint,
  }));
  const fingerprints = entries.map((entry) => entry.fingerprint);
  return {
    format: RUN_FORMAT,
    kind: 'ensemble',
    status: 'complete',
    sward: packageVersion(),
    seed,
    members: entries,
    method: combination.method,
    perTarget: combination.perTarget,
    weights: pipeline.combination.weights?.map((ofTarget) => [...ofTarget]) ?? null,
    post: [...pipeline.steps],
    data: { source: photoSource(out, members), images: photos.length, ...sharedArea(members) },
    fingerprint: valueFingerprint([packageVersion(), seed, fingerprints, combination, steps]),
    files: {},
  };
}

/** Where the photos are, from the ensemble's folder: a member's data folder where one was trained on photos. */
function photoSource(out: string, members: AlignedMembers['members']): EnsembleManifest['data']['source'] {
  const from = (run: string, path: string): string => pathFrom(out, resolve(run, path));
  const onPhotos =
    members.find(({ manifest: { data } }) => data.source && photoFolder(data.source) !== null) ?? members[0];
  if (!onPhotos) throw new UsageError('name the runs to combine');
  const source = requireData(onPhotos.run, onPhotos.manifest);
  return movedSource(source, (path) => from(onPhotos.run, path));
}

/** @throws UsageError where members' masses stand on frames of different areas */
function sharedArea(members: AlignedMembers['members']): { readonly area_m2?: number } {
  const [first, ...others] = members.map(({ run, manifest }) => ({ run, area: frameAreaOf(manifest) }));
  const other = others.find(({ area }) => area !== first?.area);
  if (first && other) {
    throw new UsageError(
      `the masses of ${first.run} stand on ${first.area} m² and those of ${other.run} on ${other.area} m²; combine ` +
        'runs of one frame',
    );
  }
  const stated = members.find(({ manifest }) => manifest.data.area_m2 !== undefined);
  return stated?.manifest.data.area_m2 === undefined ? {} : { area_m2: stated.manifest.data.area_m2 };
}

/** What an ensemble predicts of photos it has not seen. */
export interface EnsemblePredictions {
  /** Nested, `[photo]`. */
  readonly outOfFold: readonly Targets[];
  /** Of States held out one at a time; null where members have not all predicted them. */
  readonly statesOut: readonly StateOutRow[] | null;
}

/** Files that an ensemble writes in the end; it starts anew every time. */
const CONTENTS: FolderContents = {
  derived: [FOLDS, OUT_OF_FOLD, STATES_OUT, SCORES, STACK_FOLDER, 'report.html'],
  essential: [OUT_OF_FOLD, SCORES],
  resumable: /^fold-\d+$/,
};

/**
 * Writes the run folder; `run.json` says `incomplete` until everything else is there.
 *
 * @throws UsageError when the folder holds something else that may not be replaced
 */
export async function writeEnsembleRun(
  out: string,
  manifest: EnsembleManifest,
  { photos, parts, rows }: AlignedMembers,
  { outOfFold: predicted, statesOut }: EnsemblePredictions,
  facts: EnsembleFacts,
  { combination }: FittedPipeline,
  overwrite: boolean,
): Promise<RunResults> {
  const folder = await RunFolder.begin(out, manifest, CONTENTS, { resume: true, overwrite });
  if (!folder) {
    await using run = await openRun(out);
    const results = await run.results();
    await writeMissingReport(out, results);
    return results;
  }
  try {
    const outOfFold: OutOfFoldRow[] = photos.map((photo, item) => ({
      ...photo,
      fold: parts[item] ?? 0,
      predicted: predicted[item] as Targets,
    }));
    const strata = strataOf(
      photos.map((photo) => ({ targets: photo.observed })),
      'presence',
    );
    await writeFolds(
      join(out, FOLDS),
      photos.map(({ imageId }, item) => ({
        imageId,
        fold: parts[item] ?? 0,
        group: rows.sessions[item] ?? '',
        stratum: strata[item] ?? 0,
      })),
    );
    const folderOfPhotos = photoFolder(manifest.data.source);
    const written = await writePredictedRows(out, {
      outOfFold,
      statesOut,
      cases: [],
      ensemble: facts,
      imagePaths: new Map(
        photos.map(({ imageId, photoPath }) => [
          imageId,
          photoPath !== null && folderOfPhotos !== null
            ? pathFrom(join(out, folderOfPhotos), photoPath)
            : null,
        ]),
      ),
    });
    if (combination.stack) {
      await mkdir(join(out, STACK_FOLDER), { recursive: true });
      await combination.stack.write(join(out, STACK_FOLDER));
    }
    const results = await ensembleResults(out, manifest, ensembleName(manifest));
    await writeRunReport(reportPath(out), results);
    await folder.complete([FOLDS, ...written, STACK_FOLDER]);
    return results;
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await folder.release();
  }
}
