import { join, resolve } from 'node:path';
import { strataOf, writeFolds } from '../../data/folds/index.ts';
import type { ChosenEnsemble } from '../../estimators/combination/choice.ts';
import type { FittedPipeline, PipelineSettings } from '../../estimators/combination/pipeline.ts';
import { UsageError } from '../../ground/errors.ts';
import { makeFolder } from '../../ground/files.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { packageVersion } from '../../ground/version.ts';
import type { Targets } from '../../pasture/targets.ts';
import { stackFolderOf } from '../../runs/covariate-cases.ts';
import type { RunCovariate } from '../../runs/covariates.ts';
import { ensembleName } from '../../runs/ensemble-run.ts';
import { type EnsembleManifest, frameAreaOf, RUN_FORMAT, requireData } from '../../runs/manifest.ts';
import { openRun } from '../../runs/open-run.ts';
import { FOLDS, OUT_OF_FOLD } from '../../runs/out-of-fold.ts';
import { firstAnswered, writePredictedRows } from '../../runs/predicted-rows.ts';
import { ensembleResults } from '../../runs/read-results.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { FOLD_FOLDERS, isResult } from '../../runs/run-files.ts';
import { type FolderContents, RunFolder } from '../../runs/run-folder.ts';
import { type EnsembleFacts, SCORES } from '../../runs/scores.ts';
import { movedSource, pathFrom, photoFolder } from '../../runs/training-data.ts';
import { reportPath, writeMissingReport, writeRunReport } from '../report/write-report.ts';
import type { AlignedMembers } from './ensemble-members.ts';
import type { EnsembleStates } from './ensemble-states.ts';

/** How members were combined where photos are answered by one set of covariates. */
export interface CombinedCase {
  readonly aligned: AlignedMembers;
  readonly chosen: ChosenEnsemble;
  readonly states: EnsembleStates;
}

/**
 * `run.json` of an ensemble about to be written to `out`.
 *
 * @param cases the last one of photos alone
 */
export function ensembleManifest(
  out: string,
  cases: readonly CombinedCase[],
  covariates: readonly RunCovariate[],
  { combination, steps }: PipelineSettings,
  seed: number,
): EnsembleManifest {
  const { aligned, chosen } = cases.at(-1) as CombinedCase;
  const { members, photos } = aligned;
  const pipelineFacts = ({ combination: { weights }, steps: post }: FittedPipeline) => ({
    weights: weights?.map((ofTarget) => [...ofTarget]) ?? null,
    post: [...post],
  });
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
    ...pipelineFacts(chosen.pipeline),
    ...(covariates.length > 0 && {
      cases: cases.slice(0, -1).map((one) => ({
        covariates: [...one.aligned.covariates],
        ...pipelineFacts(one.chosen.pipeline),
      })),
    }),
    data: {
      source: photoSource(out, members),
      images: photos.length,
      ...sharedArea(members),
      ...(covariates.length > 0 && { covariates: [...covariates] }),
    },
    fingerprint: valueFingerprint([packageVersion(), seed, fingerprints, combination, steps]),
    files: {},
  };
}

/** Where the photos are, from the ensemble's folder: a member's data folder where one was trained on photos. */
function photoSource(out: string, members: AlignedMembers['members']): EnsembleManifest['data']['source'] {
  const from = (folder: string, path: string): string => pathFrom(out, resolve(folder, path));
  const onPhotos =
    members.find(({ manifest: { data } }) => data.source && photoFolder(data.source) !== null) ?? members[0];
  if (!onPhotos) throw new UsageError('name the runs to combine');
  const source = requireData(onPhotos.run, onPhotos.manifest);
  return movedSource(source, (path) => from(onPhotos.folder, path));
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

/** An ensemble starts anew every time. */
const CONTENTS: FolderContents = {
  derived: (name) => isResult(name) || FOLD_FOLDERS.test(name),
  essential: [OUT_OF_FOLD, SCORES],
  resumable: /^$/,
};

/**
 * Writes the run folder; `run.json` says `incomplete` until everything else is there.
 *
 * @throws UsageError when the folder holds something else that may not be replaced
 */
export async function writeEnsembleRun(
  out: string,
  manifest: EnsembleManifest,
  cases: readonly CombinedCase[],
  facts: EnsembleFacts,
  overwrite: boolean,
): Promise<RunResults> {
  const { photos, parts, rows } = (cases.at(-1) as CombinedCase).aligned;
  const hasCovariates = manifest.data.covariates !== undefined;
  const folder = await RunFolder.begin(out, manifest, CONTENTS, { resume: true, overwrite });
  if (!folder) {
    await using run = await openRun(out);
    const results = await run.results();
    await writeMissingReport(out, results);
    return results;
  }
  try {
    const partOf = new Map(photos.map(({ imageId }, item) => [imageId, parts[item] ?? 0]));
    const byCase = cases.map(({ aligned, chosen, states }) => ({
      covariates: aligned.covariates,
      outOfFold: aligned.photos.map(
        ({ covariates: _, ...photo }, item): OutOfFoldRow => ({
          ...photo,
          fold: partOf.get(photo.imageId) ?? 0,
          predicted: chosen.nested.at(-1)?.[item] as Targets,
          ...(hasCovariates && { covariates: aligned.covariates }),
        }),
      ),
      statesOut: states.rows,
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
      outOfFold: firstAnswered(byCase.map(({ outOfFold }) => outOfFold)),
      // Members with covariates may have none, for want of readings without a State; photos alone are answered by all.
      statesOut: byCase.at(-1)?.statesOut
        ? firstAnswered(byCase.map(({ statesOut }) => statesOut ?? []))
        : null,
      cases: hasCovariates ? byCase : [],
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
    for (const { aligned, chosen } of cases) {
      const { stack } = chosen.pipeline.combination;
      if (!stack) continue;
      const stackFolder = join(out, stackFolderOf(aligned.covariates));
      await makeFolder(stackFolder);
      await stack.write(stackFolder);
    }
    const results = await ensembleResults(out, manifest, ensembleName(manifest));
    await writeRunReport(out, reportPath(out), results);
    await folder.complete([
      FOLDS,
      ...written,
      ...cases.map(({ aligned }) => stackFolderOf(aligned.covariates)),
    ]);
    return results;
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await folder.release();
  }
}
