import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { METHODS } from '../estimators/combination/combination.ts';
import { fittedStepSchema } from '../estimators/post-processing/steps.ts';
import { readManifestJson, sourceSchema } from './run-folder.ts';

/** Folder of a stacking ensemble's regression. */
export const STACK_FOLDER = 'stack';

const schema = z.strictObject({
  format: z.literal(1),
  kind: z.literal('ensemble'),
  status: z.enum(['incomplete', 'complete']),
  sward: z.string(),
  seed: z.int(),
  members: z
    .array(
      z.strictObject({
        /** Folder of the member, relative to the ensemble's. */
        run: z.string(),
        recipe: z.string(),
        /** The member's own fingerprint when the ensemble was made. */
        fingerprint: z.string(),
      }),
    )
    .min(1),
  method: z.enum(METHODS),
  perTarget: z.boolean(),
  /** `[target][member]`; null for stacking, whose regression lies in `stack/`. */
  weights: z.array(z.array(z.number())).length(5).nullable(),
  /** Post-processing in order, with what each step learnt from all out-of-fold rows. */
  post: z.array(fittedStepSchema),
  data: z.strictObject({ source: sourceSchema, images: z.int().min(1) }),
  /** Of members, method and post-processing. */
  fingerprint: z.string(),
});

/** `run.json` of an ensemble. */
export type EnsembleManifest = z.output<typeof schema>;

/** Writes an ensemble's `run.json` atomically. */
export async function writeEnsembleManifest(run: string, manifest: EnsembleManifest): Promise<void> {
  await writeFileAtomically(join(run, 'run.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** @throws InputError when the run is no finished ensemble of this version */
export async function readEnsembleManifest(run: string): Promise<EnsembleManifest> {
  const parsed = schema.safeParse(await readManifestJson(run));
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    const what = `is not an ensemble of this version (${first?.path.join('.')}: ${first?.message})`;
    throw new InputError(join(run, 'run.json'), what, 'make the ensemble again');
  }
  if (parsed.data.status === 'complete') return parsed.data;
  throw new InputError(run, 'is an unfinished ensemble', 'make it again with --overwrite');
}
