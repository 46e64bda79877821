import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cellOf, readPredictions } from '../data/predictions.ts';
import { sampleId, splitSampleId } from '../data/sample-id.ts';
import { readCsv, writeCsv } from '../formats/csv.ts';
import { knownWhere } from '../pasture/partial.ts';
import { TARGET_NAMES, type Targets, targetsToArray } from '../pasture/targets.ts';
import { type StateScores, scoreRows } from './scores.ts';

/** File of a run folder with what was predicted of each photo without its State. */
export const STATES_OUT = 'leave-one-state-out.csv';
const COLUMNS = ['sample_id', 'target', 'observed', 'State'] as const;

/** A photo with what a model says of it that has seen nothing of its State, grams. */
export interface StateOutRow {
  readonly imageId: string;
  readonly state: string;
  readonly observed: Targets;
  readonly predicted: Targets;
}

/** Scores what was predicted without each photo's State; masses that were measured in it alone have no part. */
export function scoreStates(all: readonly StateOutRow[]): StateScores {
  const rows = all.map((row) => ({ ...row, observed: knownWhere(row.observed, row.predicted) }));
  return {
    pooled: scoreRows(rows),
    perState: statesIn(rows.map(({ state }) => state)).map((state) => ({
      state,
      score: scoreRows(rows.filter((row) => row.state === state)),
    })),
  };
}

/** The States that occur, sorted. */
export function statesIn(states: readonly (string | null)[]): string[] {
  return [...new Set(states.filter((state) => state !== null))].sort();
}

/** Writes `leave-one-state-out.csv`: predicted (`target`) and observed mass of every photo and target, in grams. */
export async function writeStatesOut(
  run: string,
  rows: readonly StateOutRow[],
  file = STATES_OUT,
): Promise<void> {
  const lines = rows.flatMap(({ imageId, state, observed, predicted }) => {
    const measured = targetsToArray(observed);
    const said = targetsToArray(predicted);
    return TARGET_NAMES.map((target, column) => [
      sampleId(imageId, target),
      cellOf(said[column]),
      cellOf(measured[column]),
      state,
    ]);
  });
  await writeCsv(join(run, file), COLUMNS, lines);
}

/** What was predicted of a photo without its State. */
export type StateOutPrediction = Pick<StateOutRow, 'state' | 'predicted'>;

/**
 * Reads what {@link writeStatesOut} wrote, by photo; null where a run has none.
 *
 * @throws InputError when it is damaged
 */
export async function readStatesOut(
  run: string,
  file = STATES_OUT,
): Promise<ReadonlyMap<string, StateOutPrediction> | null> {
  const path = join(run, file);
  if (!(await stat(path).catch(() => null))) return null;
  const states = new Map<string, string>();
  for (const { cells } of (await readCsv(path, COLUMNS)).rows) {
    states.set(splitSampleId(cells.sample_id ?? '')?.imageId ?? '', cells.State ?? '');
  }
  const photos = await readPredictions(path, { mayLack: true });
  return new Map(
    photos.map(({ imageId, targets }) => [imageId, { state: states.get(imageId) ?? '', predicted: targets }]),
  );
}
