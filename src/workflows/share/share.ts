import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { isInside, writeFileAtomically } from '../../ground/files.ts';
import { runCard } from '../../report/run-card.ts';
import { CALIBRATION, writeCalibration } from '../../runs/calibration.ts';
import { type AboutRun, requireData, type TrainedManifest } from '../../runs/manifest.ts';
import { openRun } from '../../runs/open-run.ts';
import { type FolderContents, RunFolder } from '../../runs/run-folder.ts';
import { TrainedRun } from '../../runs/trained-run.ts';
import { pathFrom } from '../../runs/training-data.ts';
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

/** The card of a run that is passed on. */
const CARD = 'card.md';

/** What of a run is needed to predict: its models, and its record of what it was trained on, by features alone. */
const PASSED_ON = /^(fold-\d+\/.+|domain\.safetensors)$/;

const CONTENTS: FolderContents = {
  derived: [CALIBRATION, TRAINING_PHOTOS, CARD],
  essential: [CALIBRATION, CARD],
  resumable: /^(fold-\d+|domain\.safetensors)$/,
  // Whoever passes a run on may put its licence there first.
  beside: /^LICEN[CS]E(\.\w+)?$/,
};

/**
 * Copies a run to be passed on without its data: models, intervals and the out-of-domain record, with a card. No photo,
 * no id, no measured mass and no path of this machine is in it. It predicts as the run does, with the same intervals;
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
  await using opened = await openRun(run);
  if (!(opened instanceof TrainedRun)) {
    throw new UsageError(`${run} is ${opened.name}; pass on trained runs, one by one`);
  }
  if (resolve(out) === resolve(opened.folder) || isInside(resolve(opened.folder), resolve(out))) {
    throw new UsageError(`--out ${out} lies in the run itself; choose another folder`);
  }
  const { manifest } = opened;
  requireData(run, manifest);
  const results = await opened.results();
  const { imported: _, ...kept } = manifest;
  const passedOn: TrainedManifest = {
    ...kept,
    data: {
      ...manifest.data,
      source: null,
      sets: opened.sets.map(({ weights, columns, name }) => ({
        name,
        columns,
        weights: weights && { ...weights, file: weights.file === null ? null : pathFrom(out, weights.file) },
      })),
    },
    about: {
      ...about,
      sessions: new Set(results.rows.map(({ session }) => session)).size,
      weighted_r2: results.outOfFold.weightedR2,
    },
    files: {},
  };
  const folder = await RunFolder.begin(out, passedOn, CONTENTS, { overwrite, resume: true });
  if (!folder) return passedOn;
  try {
    const files = Object.keys(manifest.files).filter((file) => PASSED_ON.test(file));
    for (const file of files) {
      await mkdir(dirname(join(out, file)), { recursive: true });
      await copyFile(join(opened.folder, file), join(out, file));
    }
    await copyTrainingPhotos(opened.folder, out);
    await writeCalibration(out, results.rows);
    await writeFileAtomically(join(out, CARD), runCard(manifest, results, about));
    await folder.complete([...files, TRAINING_PHOTOS, CALIBRATION]);
    return passedOn;
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await folder.release();
  }
}
