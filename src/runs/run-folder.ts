import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GROUPINGS, STRATIFICATIONS } from '../data/folds/index.ts';
import { InputError, messageOf } from '../ground/errors.ts';
import { temporaryNameBeside, writeFileAtomically } from '../ground/files.ts';
import type { MetricLine } from '../learning/estimator.ts';
import { parseStoredRecipe, type Recipe } from '../recipes/recipe.ts';

const MANIFEST = 'run.json';
const METRICS = 'metrics.jsonl';

/** Where a run's data were: paths relative to the run. */
export const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), folder: z.string() }),
  z.strictObject({
    kind: z.literal('features'),
    /** Feature files with the same photos. */
    features: z.array(z.string()).min(1).readonly(),
    ids: z.string(),
    labels: z.string(),
  }),
]);

const manifestSchema = z.strictObject({
  format: z.literal(1),
  status: z.enum(['incomplete', 'complete']),
  sward: z.string(),
  seed: z.int(),
  recipe: z.unknown(),
  folds: z.strictObject({
    count: z.int().min(2),
    grouping: z.enum(GROUPINGS),
    stratification: z.enum(STRATIFICATIONS),
    /** Whether the folds were drawn by sward or given. */
    origin: z.enum(['drawn', 'given']),
  }),
  data: z.strictObject({
    source: sourceSchema,
    images: z.int().min(1),
    /** The feature sets trained on, in the order of their columns. */
    sets: z
      .array(
        z.strictObject({
          name: z.string(),
          columns: z.int().min(1),
          /** The backbone's weights that made the features, by content; null where there are none. */
          weights: z.strictObject({ source: z.string(), sha256: z.string() }).nullable(),
        }),
      )
      .min(1)
      .readonly(),
    fingerprint: z.string(),
  }),
  /** The checkpoint each fold's model was taken from, where it was trained elsewhere. */
  imported: z
    .array(z.strictObject({ file: z.string(), sha256: z.string() }))
    .min(2)
    .readonly()
    .optional(),
  /** Of recipe, seed, folds and data: a run can be resumed only with the same. */
  fingerprint: z.string(),
});

/** `run.json`: what was asked for and with what data. */
export type RunManifest = Omit<z.output<typeof manifestSchema>, 'recipe'> & { readonly recipe: Recipe };

/** Writes `run.json` atomically. */
export async function writeManifest(run: string, manifest: RunManifest): Promise<void> {
  await writeFileAtomically(join(run, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** `run.json` as it stands, unchecked. @throws InputError when the folder has none that can be read */
export async function readManifestJson(run: string): Promise<unknown> {
  const path = join(run, MANIFEST);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InputError(
      path,
      `cannot be read (${messageOf(error)})`,
      'name a folder that sward train wrote',
    );
  }
}

/** Whether a run is an ensemble of others rather than trained itself. @throws as {@link readManifestJson} */
export async function isEnsemble(run: string): Promise<boolean> {
  return isEnsembleJson(await readManifestJson(run));
}

function isEnsembleJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ensemble';
}

/** @throws InputError when the folder is no trained run or its manifest is damaged */
export async function readManifest(run: string): Promise<RunManifest> {
  const path = join(run, MANIFEST);
  const value = await readManifestJson(run);
  if (isEnsembleJson(value)) {
    throw new InputError(run, 'is an ensemble, which has no model of its own', 'name one of its members');
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    const what = `is not a run of this version (${first?.path.join('.')}: ${first?.message})`;
    throw new InputError(path, what, 'train the run again');
  }
  return { ...parsed.data, recipe: parseStoredRecipe(path, parsed.data.recipe) };
}

/** @throws InputError also when the run is not complete */
export async function readCompleteManifest(run: string): Promise<RunManifest> {
  const manifest = await readManifest(run);
  if (manifest.status === 'complete') return manifest;
  throw new InputError(
    run,
    'is an unfinished run',
    'finish it with the same sward train command and --resume',
  );
}

/**
 * What a folder given as `--out` is now: `foreign` when it holds files but no `run.json`. Folders inside it
 * (the demo's sample) do not count.
 */
export async function runFolderState(run: string): Promise<'free' | 'run' | 'foreign'> {
  const found = await stat(run).catch(() => null);
  if (!found) return 'free';
  if (!found.isDirectory()) return 'foreign';
  const entries = await readdir(run, { withFileTypes: true });
  if (entries.some((entry) => entry.name === MANIFEST)) return 'run';
  return entries.every((entry) => entry.isDirectory()) ? 'free' : 'foreign';
}

/** The folder of a fold's model. */
export function foldFolder(run: string, fold: number): string {
  return join(run, `fold-${fold}`);
}

/** Where a fold's training keeps what it goes on from after a kill. Nothing of it is left in a finished run. */
export function checkpointFolder(run: string, fold: number): string {
  return `${foldFolder(run, fold)}.checkpoint`;
}

/** Removes what {@link checkpointFolder} holds, which may be nothing. */
export async function removeCheckpoint(run: string, fold: number): Promise<void> {
  await rm(checkpointFolder(run, fold), { recursive: true, force: true });
}

/** Whether a fold's model is there; folders appear whole or not at all. */
export async function foldIsDone(run: string, fold: number): Promise<boolean> {
  return (await stat(foldFolder(run, fold)).catch(() => null))?.isDirectory() ?? false;
}

/** Writes a fold's folder aside and renames it when `write` has filled it and the metric lines are in. */
export async function writeFold(
  run: string,
  fold: number,
  lines: readonly MetricLine[],
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const target = foldFolder(run, fold);
  const aside = temporaryNameBeside(target);
  try {
    await mkdir(aside, { recursive: true });
    await write(aside);
    await appendFile(join(aside, METRICS), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await rm(target, { recursive: true, force: true });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/** The metric lines of a fold. @throws InputError when a line is damaged */
export async function readMetrics(run: string, fold: number): Promise<MetricLine[]> {
  const path = join(foldFolder(run, fold), METRICS);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputError(path, `cannot be read (${messageOf(error)})`, 'train the run again');
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const parsed = z.record(z.string(), z.number()).safeParse(parseJson(line));
      if (parsed.success) return parsed.data;
      throw new InputError(`${path} row ${index + 1}`, 'is damaged', 'train the run again');
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
