import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { readCsv, rowName, writeCsv } from '../data/csv.ts';
import { sampleId, splitSampleId } from '../data/sample-id.ts';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { scoreTargets } from '../pasture/metric.ts';
import { TARGET_NAMES, targetsFromArray, targetsToArray } from '../pasture/targets.ts';
import { readPseudoRecord } from './pseudo-record.ts';
import type { OutOfFoldRow, RunResults } from './results.ts';
import { type RunManifest, readCompleteManifest, readMetrics } from './run-folder.ts';
import { scoreToJson, storedScore } from './score-json.ts';

const OUT_OF_FOLD = 'oof.csv';
const SCORES = 'scores.json';
const COLUMNS = [
  'sample_id',
  'target',
  'observed',
  'fold',
  'Sampling_Date',
  'State',
  'Species',
  'image_path',
] as const;

type LeaveOneStateOut = RunResults['leaveOneStateOut'];

const scoresSchema = z.object({
  leave_one_state_out: z
    .object({
      pooled: storedScore,
      per_state: z.array(z.object({ state: z.string(), score: storedScore })),
    })
    .nullable(),
});

/** Writes `oof.csv`: predicted (`target`) and observed mass of every photo and target, in grams. */
export async function writeOutOfFold(
  run: string,
  rows: readonly OutOfFoldRow[],
  imagePaths: readonly (string | null)[],
): Promise<void> {
  const lines = rows.flatMap((row, index) => {
    const predicted = targetsToArray(row.predicted);
    const observed = targetsToArray(row.observed);
    return TARGET_NAMES.map((target, column) => [
      sampleId(row.imageId, target),
      predicted[column] ?? Number.NaN,
      observed[column] ?? Number.NaN,
      row.fold,
      row.date ?? '',
      row.state ?? '',
      row.species ?? '',
      imagePaths[index] ?? '',
    ]);
  });
  await writeCsv(join(run, OUT_OF_FOLD), COLUMNS, lines);
}

/** Writes `scores.json`: out-of-fold, per fold, and leave-one-State-out where it was computed. */
export async function writeScores(
  run: string,
  rows: readonly OutOfFoldRow[],
  leaveOneStateOut: LeaveOneStateOut,
): Promise<void> {
  const scores = {
    out_of_fold: scoreToJson(scoreRows(rows)),
    per_fold: scoreFolds(rows).map(({ fold, score }) => ({ fold, ...scoreToJson(score) })),
    leave_one_state_out: leaveOneStateOut && {
      pooled: scoreToJson(leaveOneStateOut.pooled),
      per_state: leaveOneStateOut.perState.map(({ state, score }) => ({ state, score: scoreToJson(score) })),
    },
  };
  await writeFileAtomically(join(run, SCORES), `${JSON.stringify(scores, null, 2)}\n`);
}

/**
 * Everything a report shows, from a finished run folder.
 *
 * @throws InputError when the run is unfinished or one of its files is missing or damaged
 */
export async function readRunResults(run: string): Promise<RunResults> {
  const manifest = await readCompleteManifest(run);
  const rows = await readOutOfFold(run, manifest);
  const folds = scoreFolds(rows);
  return {
    recipeName: manifest.recipe.name,
    outOfFold: scoreRows(rows),
    perFold: folds,
    leaveOneStateOut: await readLeaveOneStateOut(run),
    rows,
    curves: await Promise.all(folds.map(async ({ fold }) => ({ fold, lines: await readMetrics(run, fold) }))),
    pseudo: await readPseudoRecord(run),
    settings: manifest.recipe,
    provenance: provenanceOf(manifest),
  };
}

async function readOutOfFold(run: string, manifest: RunManifest): Promise<OutOfFoldRow[]> {
  const path = join(run, OUT_OF_FOLD);
  const table = await readCsv(path, COLUMNS);
  const photos = new Map<
    string,
    { base: Omit<OutOfFoldRow, 'observed' | 'predicted'>; masses: Map<string, number[]> }
  >();
  const { source } = manifest.data;
  for (const { line, cells } of table.rows) {
    const id = splitSampleId(cells.sample_id ?? '');
    const numbers = [cells.target, cells.observed, cells.fold].map((text) =>
      text ? Number(text) : Number.NaN,
    );
    if (!id || !numbers.every(Number.isFinite)) {
      throw new InputError(rowName(path, line), 'is damaged', 'train the run again');
    }
    const imagePath = cells.image_path ?? '';
    const photo = photos.get(id.imageId) ?? {
      base: {
        imageId: id.imageId,
        photoPath: source.kind === 'folder' && imagePath ? resolve(run, source.folder, imagePath) : null,
        fold: numbers[2] ?? 0,
        date: cells.Sampling_Date || null,
        state: cells.State || null,
        species: cells.Species || null,
      },
      masses: new Map<string, number[]>(),
    };
    photo.masses.set(id.target, numbers);
    photos.set(id.imageId, photo);
  }
  return [...photos.values()].map(({ base, masses }) => {
    const column = (index: number): number[] =>
      TARGET_NAMES.map((target) => {
        const value = masses.get(target)?.[index];
        if (value !== undefined) return value;
        throw new InputError(path, `${base.imageId} lacks ${target}`, 'train the run again');
      });
    return { ...base, predicted: targetsFromArray(column(0)), observed: targetsFromArray(column(1)) };
  });
}

async function readLeaveOneStateOut(run: string): Promise<LeaveOneStateOut> {
  const path = join(run, SCORES);
  try {
    const { leave_one_state_out: stored } = scoresSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return stored && { pooled: stored.pooled, perState: stored.per_state };
  } catch (error) {
    throw new InputError(path, `cannot be read (${messageOf(error).split('\n')[0]})`, 'train the run again');
  }
}

function scoreRows(rows: readonly OutOfFoldRow[]): RunResults['outOfFold'] {
  return scoreTargets(
    rows.map((row) => row.observed),
    rows.map((row) => row.predicted),
  );
}

function scoreFolds(rows: readonly OutOfFoldRow[]): RunResults['perFold'] {
  const folds = [...new Set(rows.map((row) => row.fold))].sort((a, b) => a - b);
  return folds.map((fold) => ({ fold, score: scoreRows(rows.filter((row) => row.fold === fold)) }));
}

function provenanceOf(manifest: RunManifest): Record<string, string> {
  const { source } = manifest.data;
  return {
    sward: manifest.sward,
    Seed: String(manifest.seed),
    Folds: `${manifest.folds.count}, ${manifest.folds.origin}; grouped by ${manifest.folds.grouping}, stratified by ${manifest.folds.stratification}`,
    Data: source.kind === 'folder' ? source.folder : `${source.features}, ${source.ids}, ${source.labels}`,
    Photos: String(manifest.data.images),
    'Input columns': String(manifest.data.inputColumns),
    ...(manifest.data.weights && {
      Weights: manifest.data.weights.source,
      'Weights (SHA-256)': manifest.data.weights.sha256,
    }),
    'Data fingerprint (SHA-256)': manifest.data.fingerprint,
    'Run fingerprint (SHA-256)': manifest.fingerprint,
  };
}
