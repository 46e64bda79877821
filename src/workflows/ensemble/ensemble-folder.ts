import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { strataOf, writeFolds } from '../../data/folds/index.ts';
import type { FittedPipeline, PipelineSettings } from '../../estimators/combination/pipeline.ts';
import { UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { packageVersion } from '../../ground/version.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { EnsembleFacts } from '../../runs/ensemble-facts.ts';
import { type EnsembleManifest, STACK_FOLDER, writeEnsembleManifest } from '../../runs/ensemble-manifest.ts';
import { readEnsembleResults, writeEnsembleScores } from '../../runs/ensemble-results.ts';
import { STATES_OUT, type StateOutRow, scoreStates, writeStatesOut } from '../../runs/leave-one-state-out.ts';
import { writeOutOfFold } from '../../runs/out-of-fold.ts';
import type { OutOfFoldRow } from '../../runs/results.ts';
import { readManifestJson, runFolderState } from '../../runs/run-folder.ts';
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
    format: 1,
    kind: 'ensemble',
    status: 'complete',
    sward: packageVersion(),
    seed,
    members: entries,
    method: combination.method,
    perTarget: combination.perTarget,
    weights: pipeline.combination.weights?.map((ofTarget) => [...ofTarget]) ?? null,
    post: [...pipeline.steps],
    data: { source: photoSource(out, members), images: photos.length },
    fingerprint: valueFingerprint([packageVersion(), seed, fingerprints, combination, steps]),
  };
}

/** Where the photos are, from the ensemble's folder: a member's data folder where one was trained on photos. */
function photoSource(out: string, members: AlignedMembers['members']): EnsembleManifest['data']['source'] {
  const from = (run: string, path: string): string => pathFrom(out, resolve(run, path));
  const onPhotos = members.find(({ manifest }) => manifest.data.source.kind === 'folder') ?? members[0];
  if (!onPhotos) throw new UsageError('name the runs to combine');
  const { source } = onPhotos.manifest.data;
  return source.kind === 'folder'
    ? { kind: 'folder', folder: from(onPhotos.run, source.folder) }
    : {
        kind: 'features',
        features: source.features.map((file) => from(onPhotos.run, file)),
        ids: from(onPhotos.run, source.ids),
        labels: from(onPhotos.run, source.labels),
      };
}

/** A path as a run folder remembers it: relative to the run, so that both may move together. */
export function pathFrom(out: string, path: string): string {
  return relative(resolve(out), resolve(path)).replaceAll('\\', '/');
}

/** @throws UsageError when the folder holds something else that may not be replaced */
export async function settleEnsembleFolder(
  out: string,
  manifest: EnsembleManifest,
  overwrite: boolean,
): Promise<void> {
  const state = await runFolderState(out);
  if (state === 'foreign') {
    throw new UsageError(`${out} is there and is not a run folder; choose another --out`);
  }
  if (state === 'free' || overwrite) return;
  const existing = await readManifestJson(out);
  const same =
    typeof existing === 'object' && existing !== null && 'fingerprint' in existing
      ? existing.fingerprint === manifest.fingerprint
      : false;
  if (!same) throw new UsageError(`${out} holds another run; choose another --out or pass --overwrite`);
}

/** What an ensemble predicts of photos it has not seen. */
export interface EnsemblePredictions {
  /** Nested, `[photo]`. */
  readonly outOfFold: readonly Targets[];
  /** Of States held out one at a time; null where members have not all predicted them. */
  readonly statesOut: readonly StateOutRow[] | null;
}

/** Writes the run folder; `run.json` says `incomplete` until everything else is there. */
export async function writeEnsembleRun(
  out: string,
  manifest: EnsembleManifest,
  { photos, parts, rows }: AlignedMembers,
  { outOfFold: predicted, statesOut }: EnsemblePredictions,
  facts: EnsembleFacts,
  { combination }: FittedPipeline,
): Promise<void> {
  await mkdir(out, { recursive: true });
  await writeEnsembleManifest(out, { ...manifest, status: 'incomplete' });
  for (const name of await readdir(out)) {
    const leftover = /^fold-\d+$/.test(name) || name === STACK_FOLDER || name === STATES_OUT;
    if (leftover) await rm(join(out, name), { recursive: true });
  }
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
    join(out, 'folds.csv'),
    photos.map(({ imageId }, item) => ({
      imageId,
      fold: parts[item] ?? 0,
      group: rows.sessions[item] ?? '',
      stratum: strata[item] ?? 0,
    })),
  );
  const { source } = manifest.data;
  await writeOutOfFold(
    out,
    outOfFold,
    photos.map(({ photoPath }) =>
      photoPath !== null && source.kind === 'folder' ? pathFrom(join(out, source.folder), photoPath) : null,
    ),
  );
  if (statesOut) await writeStatesOut(out, statesOut);
  await writeEnsembleScores(out, outOfFold, statesOut && scoreStates(statesOut), facts);
  if (combination.stack) {
    await mkdir(join(out, STACK_FOLDER), { recursive: true });
    await combination.stack.write(join(out, STACK_FOLDER));
  }
  await writeEnsembleManifest(out, manifest);
  // Plots bring a DOM along, which most commands should not have to load.
  const { writeReport } = await import('../../report/index.ts');
  await writeReport(join(out, 'report.html'), await readEnsembleResults(out));
}
