import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf, UsageError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import type { MetricLine } from '../learning/estimator.ts';
import type { ExistingRunPolicy } from './run-start.ts';
import { originSchema } from '../vision/weights/index.ts';

const MANIFEST = 'pretrain.json';
const METRICS = 'metrics.jsonl';
const CHECKPOINT = 'checkpoint';

/** The trained weights, by the name that their description beside them has too. */
export const BACKBONE_FILE = 'backbone.safetensors';
export const DESCRIPTION_FILE = 'backbone.json';
export const PHOTOS_FILE = 'photos.csv';
export const REPORT_FILE = 'report.html';

const count = z.int().min(0);
const lineSchema = z.record(z.string(), z.number());

const manifestSchema = z.strictObject({
  format: z.literal(1),
  status: z.enum(['incomplete', 'complete']),
  sward: z.string(),
  seed: z.int(),
  /** As resolved. */
  settings: z.unknown(),
  /** The weights that training began with, and the published ones these are or come from. */
  backbone: z.strictObject({
    name: z.string(),
    source: z.string(),
    sha256: z.string(),
    arch: z.string(),
    origin: originSchema,
  }),
  photos: z.strictObject({
    /** Path relative to this folder. */
    source: z.string(),
    count,
    held_out: count,
    /** Of names, labels, files and which are held out. */
    fingerprint: z.string(),
    labels: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('classes'),
        classes: z.array(z.strictObject({ name: z.string(), photos: count, held_out: count })),
      }),
      z.strictObject({
        kind: z.literal('columns'),
        /** Mean and deviation are those of the photos learnt from. */
        columns: z.array(
          z.strictObject({
            name: z.string(),
            photos: count,
            held_out: count,
            mean: z.number(),
            deviation: z.number(),
          }),
        ),
        left_out: z.strictObject({ columns: z.array(z.string()), photos: count }),
      }),
    ]),
  }),
  /** A line an epoch. */
  curves: z.array(lineSchema),
  /** What was written; null until it is. */
  result: z
    .strictObject({
      file: z.string(),
      bytes: count,
      sha256: z.string(),
      /** The epoch whose weights were kept. */
      epoch: z.int().min(1),
    })
    .nullable(),
  /** Of settings, seed, weights and photos: only the same can be resumed. */
  fingerprint: z.string(),
});

/** `pretrain.json`: what a backbone was trained further with, and what came of it. */
export type PretrainManifest = z.output<typeof manifestSchema>;

/** Writes `pretrain.json` atomically. */
export async function writePretrainManifest(out: string, manifest: PretrainManifest): Promise<void> {
  await writeFileAtomically(join(out, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function readPretrainManifest(out: string): Promise<PretrainManifest> {
  const path = join(out, MANIFEST);
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const what = `cannot be read (${messageOf(error).replaceAll(/\s+/g, ' ')})`;
    throw new InputError(path, what, 'start again with --overwrite');
  }
}

/** Writes `metrics.jsonl`, a line an epoch. */
export async function writeCurves(out: string, lines: readonly MetricLine[]): Promise<void> {
  await writeFileAtomically(join(out, METRICS), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Where training keeps what it goes on from after a kill. Nothing of it is left in the end. */
export function pretrainCheckpoint(out: string): string {
  return join(out, CHECKPOINT);
}

/**
 * Whether a folder given as `--out` has a pretraining or nothing yet.
 *
 * @throws UsageError when it holds something else
 */
export async function pretrainFolderState(out: string): Promise<'free' | 'pretraining'> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new UsageError(`${out} is not a folder; choose another --out`);
  });
  if (names.includes(MANIFEST)) return 'pretraining';
  if (names.length === 0) return 'free';
  throw new UsageError(`${out} is there and was not written by sward pretrain; choose another --out`);
}

/**
 * Decides what pretraining into `out` means now.
 *
 * @returns the finished manifest where the same command has finished there
 * @throws UsageError when the folder holds another pretraining, or an unfinished one that was not to be resumed
 */
export async function settlePretrainFolder(
  out: string,
  fingerprint: string,
  { resume = false, overwrite = false }: ExistingRunPolicy,
): Promise<'fresh' | 'resume' | PretrainManifest> {
  if ((await pretrainFolderState(out)) === 'free' || overwrite) return 'fresh';
  const existing = await readPretrainManifest(out);
  if (existing.fingerprint !== fingerprint) {
    throw new UsageError(
      `${out} holds another pretraining (other settings, backbone or photos); choose another --out or pass --overwrite`,
    );
  }
  if (existing.status === 'complete') return existing;
  if (resume) return 'resume';
  throw new UsageError(
    `${out} holds an unfinished pretraining; pass --resume to go on or --overwrite to start again`,
  );
}

/** Makes the folder ready: the manifest says incomplete, what another pretraining or a killed one left is gone. */
export async function startPretrainFolder(
  out: string,
  manifest: PretrainManifest,
  mode: 'fresh' | 'resume',
): Promise<void> {
  await mkdir(out, { recursive: true });
  await writePretrainManifest(out, { ...manifest, status: 'incomplete' });
  const written = [BACKBONE_FILE, DESCRIPTION_FILE, PHOTOS_FILE, REPORT_FILE, METRICS];
  for (const name of await readdir(out)) {
    const leftover = name.endsWith('.part') || written.includes(name);
    if (leftover || (mode === 'fresh' && name === CHECKPOINT)) await rm(join(out, name), { recursive: true });
  }
}

/** Says that the pretraining is complete and takes the checkpoint away. */
export async function finishPretrainFolder(out: string, manifest: PretrainManifest): Promise<void> {
  await writePretrainManifest(out, manifest);
  await rm(pretrainCheckpoint(out), { recursive: true, force: true });
}
