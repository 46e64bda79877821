import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FoldRow, writeFolds } from '../data/folds/index.ts';
import { UsageError } from '../ground/errors.ts';
import { STATES_OUT } from './leave-one-state-out.ts';
import { type RunManifest, readManifest, runFolderState, writeManifest } from './run-folder.ts';

/** What the caller allows to happen to a folder that is there already. */
export interface ExistingRunPolicy {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/**
 * Decides what training into `out` means now.
 *
 * @returns `complete` when the same command has finished there, `resume` when it was interrupted there and
 *   may go on, `fresh` when the folder may be written anew
 * @throws UsageError when the folder holds something else, or an unfinished run that was not to be resumed
 */
export async function settleRunFolder(
  out: string,
  manifest: RunManifest,
  { resume = false, overwrite = false }: ExistingRunPolicy,
): Promise<'fresh' | 'resume' | 'complete'> {
  const state = await runFolderState(out);
  if (state === 'foreign') {
    throw new UsageError(`${out} is there and is not a run folder; choose another --out`);
  }
  if (state !== 'run' || overwrite) return 'fresh';
  const existing = await readManifest(out);
  if (existing.fingerprint !== manifest.fingerprint) {
    throw new UsageError(
      `${out} holds another run (${existing.recipe.name}, other settings, folds or data); ` +
        'choose another --out or pass --overwrite',
    );
  }
  if (existing.status === 'complete') return 'complete';
  if (resume) return 'resume';
  throw new UsageError(
    `${out} holds an unfinished run; pass --resume to go on or --overwrite to start again`,
  );
}

/** Files that training writes at its end. */
const DERIVED_FILES: readonly string[] = [
  'oof.csv',
  'scores.json',
  STATES_OUT,
  'domain.safetensors',
  'learning-curve.json',
  'report.html',
  'pseudo.json',
];

/** Makes the folder ready: the manifest says incomplete, leftovers of another run or a killed one are gone. */
export async function startRunFolder(
  out: string,
  manifest: RunManifest,
  folds: readonly FoldRow[],
  mode: 'fresh' | 'resume',
): Promise<void> {
  await mkdir(out, { recursive: true });
  await writeManifest(out, { ...manifest, status: 'incomplete' });
  for (const name of await readdir(out)) {
    const leftover = name.endsWith('.part') || (mode === 'fresh' && /^fold-\d+(\.checkpoint)?$/.test(name));
    const derived = DERIVED_FILES.includes(name);
    if (leftover || derived) await rm(join(out, name), { recursive: true });
  }
  await writeFolds(join(out, 'folds.csv'), folds);
}
