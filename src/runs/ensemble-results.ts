import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { type EnsembleFacts, ensembleFactsSchema } from './ensemble-facts.ts';
import { type EnsembleManifest, readEnsembleManifest } from './ensemble-manifest.ts';
import { type StateScores, stateScoresToJson, storedStateScores } from './leave-one-state-out.ts';
import { readOutOfFold, scoreFolds, scoreRows } from './out-of-fold.ts';
import type { OutOfFoldRow, RunResults } from './results.ts';
import { scoreToJson } from './score-json.ts';

const SCORES = 'scores.json';
const storedScores = z.object({
  leave_one_state_out: storedStateScores.nullable(),
  ensemble: ensembleFactsSchema,
});

/** Writes an ensemble's `scores.json`: nested scores, those of States held out, and what its parts are worth. */
export async function writeEnsembleScores(
  run: string,
  rows: readonly OutOfFoldRow[],
  states: StateScores | null,
  facts: EnsembleFacts,
): Promise<void> {
  const scores = {
    out_of_fold: scoreToJson(scoreRows(rows)),
    per_fold: scoreFolds(rows).map(({ fold, score }) => ({ fold, ...scoreToJson(score) })),
    leave_one_state_out: states && stateScoresToJson(states),
    ensemble: facts,
  };
  await writeFileAtomically(join(run, SCORES), `${JSON.stringify(scores, null, 2)}\n`);
}

/**
 * Everything a report shows, from an ensemble's folder.
 *
 * @throws InputError when it is unfinished or one of its files is missing or damaged
 */
export async function readEnsembleResults(run: string): Promise<RunResults> {
  const manifest = await readEnsembleManifest(run);
  const rows = await readOutOfFold(run, manifest.data.source);
  const { leave_one_state_out, ensemble } = await readScores(run);
  return {
    recipeName: ensembleName(manifest),
    outOfFold: scoreRows(rows),
    perFold: scoreFolds(rows),
    leaveOneStateOut: leave_one_state_out,
    rows,
    curves: [],
    ensemble,
    settings: { method: manifest.method, perTarget: manifest.perTarget, post: manifest.post },
    provenance: {
      sward: manifest.sward,
      Seed: String(manifest.seed),
      Photos: String(manifest.data.images),
      ...Object.fromEntries(
        manifest.members.map(({ run: member, fingerprint }, index) => [
          `Member ${index + 1}`,
          `${member} (fingerprint ${fingerprint})`,
        ]),
      ),
      'Run fingerprint (SHA-256)': manifest.fingerprint,
    },
  };
}

/** What a report calls an ensemble. */
export function ensembleName({ members, method }: Pick<EnsembleManifest, 'members' | 'method'>): string {
  return `ensemble of ${members.length} ${members.length === 1 ? 'run' : 'runs'} (${method})`;
}

async function readScores(run: string): Promise<z.output<typeof storedScores>> {
  const path = join(run, SCORES);
  try {
    return storedScores.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new InputError(
      path,
      `cannot be read (${messageOf(error).split('\n')[0]})`,
      'make the ensemble again',
    );
  }
}
