import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { groupsOf } from '../../data/folds/index.ts';
import { LABEL_COLUMNS, type Label, parseLabels } from '../../data/labels.ts';
import { throwOnError } from '../../data/problems.ts';
import { readCsv } from '../../formats/csv.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { mean } from '../../ground/statistics.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import {
  BOOTSTRAP_DEFAULTS,
  type BootstrapSettings,
  type PairedDifference,
  pairedBootstrap,
} from '../../pasture/paired-bootstrap.ts';
import { isKnown, isSameMass } from '../../pasture/partial.ts';
import { MASS_NAMES, TARGET_NAMES, type Targets } from '../../pasture/targets.ts';
import { requireFrameArea } from '../../pasture/units.ts';
import { openRun } from '../../runs/open-run.ts';
import { seedRuns } from '../../runs/repeated-runs.ts';
import { type SplitSessions, splitSessions } from '../../runs/split-sessions.ts';
import { type ComparedFrames, comparedFrames, readAnswers } from './frames.ts';

/** One side of a comparison. */
export interface ComparedSide {
  /** Run or file. */
  readonly name: string;
  /** Weighted R², mean over the repeats. */
  readonly weightedR2: number;
  /** Weighted R² of each repeat (seed). */
  readonly repeats: readonly number[];
  /** Visits that lie in several folds of a run, whose score then flatters; null where there are none, or no folds. */
  readonly splitSessions: SplitSessions | null;
}

/** Two sets of predictions of the same photos, compared photo by photo. */
export interface Comparison {
  readonly first: ComparedSide;
  readonly second: ComparedSide;
  readonly difference: PairedDifference;
  readonly photos: number;
  /** What was drawn together, and how many there are. Photos where dates are unknown. */
  readonly units: { readonly kind: 'sessions' | 'photos'; readonly count: number };
  readonly settings: BootstrapSettings;
}

type SessionFacts = Pick<Label, 'imageId' | 'date' | 'state'>;

/** Predictions of some photos with their truth. */
interface Predicted {
  /** Frame that masses stand on, m². */
  readonly area: number;
  readonly facts: readonly SessionFacts[];
  readonly observed: readonly Targets[];
  readonly predicted: readonly Targets[];
  readonly splitSessions: SplitSessions | null;
}

/**
 * Compares two runs by their out-of-fold predictions, or two folders of the same runs over several seeds
 * (`sward train --seeds`), seed by seed.
 *
 * @throws InputError when runs cannot be read, or their photos, masses or seeds differ
 */
export async function compareRuns(
  first: string,
  second: string,
  settings: Partial<BootstrapSettings> = {},
): Promise<Comparison> {
  const [a, b] = [await repeatsOf(first), await repeatsOf(second)];
  const [seedsA, seedsB] = [a, b].map((side) => side.map(({ seed }) => seed ?? 'none').join(', '));
  const single = a.length === 1 && b.length === 1;
  if (!single && seedsA !== seedsB) {
    throw new InputError(
      second,
      `has seeds ${seedsB}, but ${first} has ${seedsA}`,
      'train both over the same seeds',
    );
  }
  const read = async (repeats: readonly Repeat[]): Promise<Predicted[]> =>
    Promise.all(repeats.map(({ run }) => outOfFold(run)));
  return compare(first, await read(a), second, await read(b), settings);
}

/**
 * Compares two files of predictions on the photos of a file of measured masses. Where that has dates, sessions are
 * drawn together.
 *
 * @throws InputError when a file cannot be read or lacks a photo of the truth
 */
export async function compareFiles(
  truth: string,
  first: string,
  second: string,
  settings: Partial<BootstrapSettings> & { readonly areaSquareMetres?: number | undefined } = {},
): Promise<Comparison> {
  const { areaSquareMetres, ...bootstrap } = settings;
  requireFrameArea(areaSquareMetres);
  const [frames, others] = [
    await comparedFrames(truth, first, areaSquareMetres, false),
    await comparedFrames(truth, second, areaSquareMetres, false),
  ];
  if (frames.measured !== others.measured) {
    throw new UsageError(
      `${truth} would stand on ${frames.measured} m² beside ${first} and on ${others.measured} m² beside ${second}; say its ` +
        'frame with --area',
    );
  }
  const { labels, problems } = parseLabels(await readCsv(truth, LABEL_COLUMNS), truth);
  throwOnError('labels', problems);
  const read = async (path: string, on: ComparedFrames): Promise<Predicted> => {
    const answers = await readAnswers(path, on);
    const byId = new Map(answers.map((photo) => [photo.imageId, photo.targets]));
    return {
      area: on.measured,
      splitSessions: null,
      facts: labels,
      observed: labels.map((label) => label.targets),
      predicted: labels.map(({ imageId }) => {
        const targets = byId.get(imageId);
        if (targets) return targets;
        throw new InputError(path, `lacks the photo ${imageId} of ${truth}`, 'predict all photos');
      }),
    };
  };
  return compare(first, [await read(first, frames)], second, [await read(second, others)], bootstrap);
}

interface Repeat {
  readonly run: string;
  readonly seed: number | null;
}

/** The runs of a folder of seeds, or the run itself. */
async function repeatsOf(path: string): Promise<Repeat[]> {
  if (existsSync(join(path, 'run.json'))) return [{ run: path, seed: null }];
  const runs = await seedRuns(path);
  if (runs.length > 0) return runs;
  throw new InputError(path, 'is no run and holds no runs by seed', 'name a folder that sward train wrote');
}

async function outOfFold(run: string): Promise<Predicted> {
  await using opened = await openRun(run);
  const { rows } = await opened.results();
  return {
    area: opened.areaSquareMetres,
    splitSessions: splitSessions(rows),
    facts: rows,
    observed: rows.map((row) => row.observed),
    predicted: rows.map((row) => row.predicted),
  };
}

function compare(
  first: string,
  a: readonly Predicted[],
  second: string,
  b: readonly Predicted[],
  settings: Partial<BootstrapSettings>,
): Comparison {
  const reference = a[0];
  if (!reference) throw new InputError(first, 'has no predictions', 'name a finished run');
  const { facts, observed } = reference;
  const aligned = (side: string, repeats: readonly Predicted[]): Targets[][] =>
    repeats.map((repeat) => inOrder(side, repeat, first, reference));
  const [predictedA, predictedB] = [aligned(first, a), aligned(second, b)];
  const bySession = facts.every(({ date }) => date !== null);
  const units = groupsOf(facts, bySession ? 'date-state' : 'none');
  const chosen = { ...BOOTSTRAP_DEFAULTS, ...settings };
  const sideOf = (name: string, repeats: readonly Targets[][], own: readonly Predicted[]): ComparedSide => {
    const scores = repeats.map((predicted) => weightedR2(observed, predicted));
    return {
      name,
      weightedR2: mean(scores),
      repeats: scores,
      splitSessions: own.find((repeat) => repeat.splitSessions)?.splitSessions ?? null,
    };
  };
  return {
    first: sideOf(first, predictedA, a),
    second: sideOf(second, predictedB, b),
    difference: pairedBootstrap({ observed, units, first: predictedA, second: predictedB }, chosen),
    photos: observed.length,
    units: { kind: bySession ? 'sessions' : 'photos', count: new Set(units).size },
    settings: chosen,
  };
}

/** Predictions in the order of the reference's photos. */
function inOrder(side: string, own: Predicted, first: string, reference: Predicted): Targets[] {
  const place = new Map(own.facts.map(({ imageId }, index) => [imageId, index]));
  const remedy = 'compare runs on the same photos and labels';
  if (own.area !== reference.area) {
    const what = `its masses stand on ${own.area} m², those of ${first} on ${reference.area} m²`;
    throw new InputError(side, what, 'compare runs of one frame');
  }
  if (own.facts.length !== reference.facts.length) {
    const counts = `${own.facts.length} photos, but ${first} has ${reference.facts.length}`;
    throw new InputError(side, `has ${counts}`, remedy);
  }
  return reference.facts.map(({ imageId }, photo) => {
    const index = place.get(imageId);
    const predicted = index === undefined ? undefined : own.predicted[index];
    if (index === undefined || !predicted) {
      throw new InputError(side, `has no photo ${imageId} of ${first}`, remedy);
    }
    if (!isSameMass(own.observed[index]?.total, reference.observed[photo]?.total)) {
      throw new InputError(side, `has another mass of ${imageId} than ${first}`, remedy);
    }
    requireAnswers(side, imageId, predicted, reference.observed[photo] as Targets);
    return predicted;
  });
}

/** @throws InputError where a side does not predict a mass that was measured */
function requireAnswers(side: string, imageId: string, predicted: Targets, observed: Targets): void {
  const lacking = MASS_NAMES.findIndex((mass) => isKnown(observed, mass) && !isKnown(predicted, mass));
  if (lacking < 0) return;
  const what = `has no ${TARGET_NAMES[lacking]} of ${imageId}, which was measured`;
  throw new InputError(side, what, 'compare runs that were taught the same masses');
}
