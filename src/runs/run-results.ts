import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { readEnsembleResults } from './ensemble-results.ts';
import { readLearningBySessions } from './learning-by-sessions.ts';
import { stateScoresToJson, storedStateScores } from './leave-one-state-out.ts';
import { readOutOfFold, scoreFolds, scoreRows } from './out-of-fold.ts';
import { readPseudoRecord } from './pseudo-record.ts';
import type { OutOfFoldRow, RunResults } from './results.ts';
import { isEnsemble, type RunManifest, readCompleteManifest, readMetrics } from './run-folder.ts';
import { scoreToJson } from './score-json.ts';

const SCORES = 'scores.json';
type LeaveOneStateOut = RunResults['leaveOneStateOut'];

const scoresSchema = z.object({ leave_one_state_out: storedStateScores.nullable() });

/** Writes `scores.json`: out-of-fold, per fold, and leave-one-State-out where it was computed. */
export async function writeScores(
  run: string,
  rows: readonly OutOfFoldRow[],
  leaveOneStateOut: LeaveOneStateOut,
): Promise<void> {
  const scores = {
    out_of_fold: scoreToJson(scoreRows(rows)),
    per_fold: scoreFolds(rows).map(({ fold, score }) => ({ fold, ...scoreToJson(score) })),
    leave_one_state_out: leaveOneStateOut && stateScoresToJson(leaveOneStateOut),
  };
  await writeFileAtomically(join(run, SCORES), `${JSON.stringify(scores, null, 2)}\n`);
}

/**
 * Everything a report shows, from a finished run folder.
 *
 * @throws InputError when the run is unfinished or one of its files is missing or damaged
 */
export async function readRunResults(run: string): Promise<RunResults> {
  if (await isEnsemble(run)) return readEnsembleResults(run);
  const manifest = await readCompleteManifest(run);
  const rows = await readOutOfFold(run, manifest.data.source);
  const folds = scoreFolds(rows);
  return {
    recipeName: manifest.recipe.name,
    outOfFold: scoreRows(rows),
    perFold: folds,
    leaveOneStateOut: await readLeaveOneStateOut(run),
    rows,
    curves: await Promise.all(folds.map(async ({ fold }) => ({ fold, lines: await readMetrics(run, fold) }))),
    pseudo: await readPseudoRecord(run),
    bySessions: await readLearningBySessions(run),
    settings: manifest.recipe,
    provenance: provenanceOf(manifest),
  };
}

async function readLeaveOneStateOut(run: string): Promise<LeaveOneStateOut> {
  const path = join(run, SCORES);
  try {
    return scoresSchema.parse(JSON.parse(await readFile(path, 'utf8'))).leave_one_state_out;
  } catch (error) {
    throw new InputError(path, `cannot be read (${messageOf(error).split('\n')[0]})`, 'train the run again');
  }
}

function provenanceOf(manifest: RunManifest): Record<string, string> {
  const { source, sets } = manifest.data;
  return {
    sward: manifest.sward,
    Seed: String(manifest.seed),
    Folds: `${manifest.folds.count}, ${manifest.folds.origin}; grouped by ${manifest.folds.grouping}, stratified by ${manifest.folds.stratification}`,
    Data:
      source.kind === 'folder' ? source.folder : [...source.features, source.ids, source.labels].join(', '),
    Photos: String(manifest.data.images),
    'Input columns': sets.map(({ name, columns }) => `${columns} (${name})`).join(' + '),
    ...Object.fromEntries(
      sets.flatMap(({ name, weights }) =>
        weights
          ? [
              [`Weights of ${name}`, weights.source],
              [`Weights of ${name} (SHA-256)`, weights.sha256],
            ]
          : [],
      ),
    ),
    ...Object.fromEntries(
      (manifest.imported ?? []).map(({ file, sha256 }, fold) => [
        `Fold ${fold} imported from`,
        `${file} (SHA-256 ${sha256.slice(0, 12)}…)`,
      ]),
    ),
    'Data fingerprint (SHA-256)': manifest.data.fingerprint,
    'Run fingerprint (SHA-256)': manifest.fingerprint,
  };
}
