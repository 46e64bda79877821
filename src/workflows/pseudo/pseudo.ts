import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { mean } from '../../ground/statistics.ts';
import {
  MASS_NAMES,
  TARGET_NAMES,
  type Targets,
  targetsFromArray,
  targetsToArray,
} from '../../pasture/targets.ts';
import { readTrainedManifest, type TrainedManifest } from '../../runs/manifest.ts';
import { namedSource } from '../../runs/named-source.ts';
import { openRun } from '../../runs/open-run.ts';
import { photoCopies } from '../../runs/photo-copies.ts';
import { type PhotoPrediction, spreadOf } from '../../runs/prediction.ts';
import {
  type Certainty,
  type PseudoRound,
  type PseudoTeacher,
  writePseudoRecord,
} from '../../runs/pseudo-record.ts';
import { trainedResults } from '../../runs/read-results.ts';
import type { RunResults } from '../../runs/results.ts';
import type { TEST_TIME_TURNS } from '../../runs/run.ts';
import type { ExistingRunPolicy } from '../../runs/run-folder.ts';
import { movedSource, type PseudoLabelled, type TrainingSource } from '../../runs/training-data.ts';
import { readTrainingPhotos } from '../../runs/training-photos.ts';
import { photoSamples } from '../../samples/samples.ts';
import { findPhotos, type PhotoFile, photoHash } from '../../vision/photos/index.ts';
import { reportPath, writeRunReport } from '../report/write-report.ts';
import { trainPart } from '../train/train.ts';
import { PSEUDO_DEFAULTS } from './pseudo-defaults.ts';
import { mostCertain, uncertaintyOf } from './pseudo-labels.ts';

/** Who labels which photos, and how the labels are taken. */
export interface PseudoOptions extends ExistingRunPolicy {
  /** The finished run that labels the first round; its recipe, folds and seed are those of every round. */
  readonly run: string;
  /** The data folder or table the run was trained on. */
  readonly folder: string | TrainingSource;
  /** A folder of photos, or photos. */
  readonly unlabelled: string | readonly PhotoFile[];
  /** Run folder of the last round; earlier rounds lie in `round-K` inside it. */
  readonly out: string;
  /** How often photos are labelled and trained on; default 3. */
  readonly rounds?: number;
  /** Share of the unlabelled photos that a round keeps: the most certain; default 0.3. */
  readonly keep?: number;
  /** How much a pseudo-labelled photo counts beside a measured one, between 0 and 1; default 0.5. */
  readonly weight?: number;
  /** What doubt is measured in: grams, or shares of the mass; default `absolute`. */
  readonly certainty?: Certainty;
  /**
   * `own`: the model of fold k labels what fold k's successor learns from, so that nothing measured in fold k
   * reaches it by a detour; `all`: the mean of all folds, as competitors do, which makes the rounds'
   * out-of-fold scores optimistic.
   */
  readonly teacher?: PseudoTeacher;
  /** Adds the spread of this many predictions with dropout left on to that between folds. */
  readonly dropoutSamples?: number;
  /** Turns of each photo that labels are averaged over; default none. */
  readonly tta?: keyof typeof TEST_TIME_TURNS;
  readonly progress?: Progress;
}

/**
 * Self-training: predict unlabelled photos, keep those the models agree about most, train again with them at
 * lower weight, and so on. Pseudo-labelled photos are in no validation fold; settings are chosen and scores
 * computed by measured photos only. Writes the last round as a run folder, with `pseudo.json` about all rounds.
 *
 * @returns results of the last round
 * @throws InputError when the run is unfinished, a photo cannot be used or a folder has none
 * @throws UsageError for no photos, settings out of range, or a run that does not read photos
 */
export async function pseudoLabelRun(options: PseudoOptions): Promise<RunResults> {
  const { run, folder, out, progress = SILENT } = options;
  const unlabelled =
    typeof options.unlabelled === 'string'
      ? await findPhotos([options.unlabelled], (line) => progress.line?.(line))
      : options.unlabelled;
  if (unlabelled.length === 0) throw new UsageError('there is no unlabelled photo; give some');
  const { rounds, keep, weight, certainty, teacher } = { ...PSEUDO_DEFAULTS, ...options };
  requireShares({ rounds, keep, weight });
  const manifest = await readTrainedManifest(run);
  if (manifest.recipe.input.kind === 'features') {
    throw new UsageError(`${run} was trained on a feature file; pseudo-labels need a run that reads photos`);
  }
  const source = readAsBefore(run, await namedSource(folder), manifest.data);
  const first = await trainedResults(run, manifest);
  await refuseMeasured(run, first, unlabelled, progress);
  const record: PseudoRound[] = [{ round: 0, weightedR2: first.outOfFold.weightedR2, labels: null }];
  let teacherRun = run;
  let before: readonly PhotoPrediction[] | null = null;
  for (let round = 1; round <= rounds; round++) {
    await using teacherModels = await openRun(teacherRun, { keepLoaded: false });
    const predictions = await teacherModels.predict(photoSamples(unlabelled), {
      progress,
      outOfDomain: false,
      ...(options.tta && { tta: options.tta }),
      ...(options.dropoutSamples && { dropoutSamples: options.dropoutSamples }),
    });
    const uncertainties = predictions.map((photo) =>
      uncertaintyOf(deviationsOf(photo), photo.targets, certainty),
    );
    const kept = mostCertain(uncertainties, keep);
    const roundFolder = round === rounds ? out : join(out, `round-${round}`);
    const results = await trainPart({
      source,
      recipe: manifest.recipe,
      out: roundFolder,
      plan: {
        folds: join(run, 'folds.csv'),
        seed: manifest.seed,
        grouping: manifest.folds.grouping,
        stratification: manifest.folds.stratification,
      },
      pseudo: labelled(
        kept.map((photo) => predictions[photo] as PhotoPrediction),
        weight,
        teacher,
      ),
      resume: options.resume ?? false,
      overwrite: options.overwrite ?? false,
      ...(round === rounds && { beside: /^round-\d+$/ }),
      progress,
    });
    record.push({
      round,
      weightedR2: results.outOfFold.weightedR2,
      labels: {
        unlabelled: predictions.length,
        kept: kept.length,
        meanUncertainty: mean(uncertainties),
        largestKeptUncertainty: Math.max(...kept.map((photo) => uncertainties[photo] as number)),
        meanKept: meanByTarget(kept.map((photo) => (predictions[photo] as PhotoPrediction).targets)),
        meanChange: before && meanByTarget(changes(before, predictions)),
      },
    });
    before = predictions;
    teacherRun = roundFolder;
  }
  await writePseudoRecord(out, { keep, weight, certainty, teacher, rounds: record });
  const results = await trainedResults(out, await readTrainedManifest(out));
  await writeRunReport(out, reportPath(out), results);
  return results;
}

/** A source read as the run's own was, as far as nobody says otherwise. */
function readAsBefore(
  run: string,
  source: TrainingSource,
  { source: own, area_m2 }: TrainedManifest['data'],
): TrainingSource {
  const covariates = own && movedSource(own, (path) => resolve(run, path)).covariates;
  const area = {
    ...(area_m2 !== undefined && { areaSquareMetres: area_m2 }),
    ...(covariates && { covariates }),
  };
  if (source.kind === 'features' || own?.kind !== source.kind) return { ...area, ...source };
  if (own.kind === 'folder')
    return { ...area, ...(own.dates && { dates: own.dates }), ...source } as TrainingSource;
  const { table: _, photos: __, covariates: ___, ...reading } = own as Extract<typeof own, { kind: 'table' }>;
  return { ...area, ...reading, ...source } as TrainingSource;
}

/** A photo that was measured must not come back as one that was not, nor a copy of it under another name. */
async function refuseMeasured(
  run: string,
  { rows }: RunResults,
  photos: readonly PhotoFile[],
  progress: Progress,
): Promise<void> {
  const remedy = 'give only photos without measured masses';
  const measured = new Set(rows.map(({ imageId }) => imageId));
  const known = photos.find(({ imageId }) => measured.has(imageId));
  if (known) throw new InputError(known.path, `has the id of a photo that ${run} was trained on`, remedy);
  const contents = (await readTrainingPhotos(run)) ?? new Set<string>();
  // Photos that are gone are met where the next round reads them.
  const there = rows.flatMap(({ imageId, photoPath }) =>
    photoPath !== null && existsSync(photoPath) ? [{ imageId, photoPath }] : [],
  );
  const copies = await photoCopies(
    [...there.map(({ photoPath }) => photoPath), ...photos.map(({ path }) => path)],
    progress,
  );
  for (const [place, { path }] of photos.entries()) {
    const copy = copies[there.length + place];
    const original = copy && there[copy.of]?.imageId;
    if (original !== undefined && original !== null) {
      throw new InputError(path, `is a copy of ${original}, which ${run} was trained on`, remedy);
    }
    if (contents.has(await photoHash(path))) {
      throw new InputError(path, `is a copy of a photo that ${run} was trained on`, remedy);
    }
  }
}

function requireShares({ rounds, keep, weight }: { rounds: number; keep: number; weight: number }): void {
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`--rounds must be a positive whole number, not ${rounds}`);
  }
  if (!(keep > 0 && keep <= 1)) throw new UsageError(`--keep must lie in (0, 1], not ${keep}`);
  if (!(weight > 0 && weight < 1)) {
    throw new UsageError(`--weight must lie between 0 and 1, not ${weight}: measured photos count 1`);
  }
}

/** Standard deviation of each target over folds and, where drawn, over dropout. */
function deviationsOf({ folds, dropoutSpread }: PhotoPrediction): number[] {
  const spread = spreadOf(folds);
  return MASS_NAMES.map((mass) => Math.hypot(spread[mass], dropoutSpread?.[mass] ?? 0));
}

function labelled(kept: readonly PhotoPrediction[], weight: number, teacher: PseudoTeacher): PseudoLabelled {
  const folds = kept[0]?.folds.length ?? 0;
  return {
    paths: kept.map(({ path }) => path as string),
    byFold: Array.from({ length: folds }, (_, fold) =>
      kept.map((photo) => (teacher === 'all' ? photo.targets : (photo.folds[fold] as Targets))),
    ),
    weight,
  };
}

function changes(before: readonly PhotoPrediction[], after: readonly PhotoPrediction[]): Targets[] {
  return after.map(({ targets }, photo) => {
    const then = targetsToArray((before[photo] as PhotoPrediction).targets);
    return targetsFromArray(targetsToArray(targets).map((mass, target) => mass - (then[target] as number)));
  });
}

function meanByTarget(targets: readonly Targets[]): Targets {
  return targetsFromArray(
    TARGET_NAMES.map((_, target) => mean(targets.map((masses) => targetsToArray(masses)[target] as number))),
  );
}
