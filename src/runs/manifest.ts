import { join } from 'node:path';
import { z } from 'zod';
import { DATE_ORDERS } from '../data/dates.ts';
import { DECIMAL_NAMES } from '../data/decimals.ts';
import { GROUPINGS, STRATIFICATIONS } from '../data/folds/index.ts';
import { columnMappingSchema } from '../data/own-table/mapping.ts';
import { METHODS } from '../estimators/combination/methods.ts';
import { fittedStepSchema } from '../estimators/post-processing/steps.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { readText, reasonOf } from '../ground/whole-file.ts';
import { MASS_NAMES } from '../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import { parseStoredRecipe } from '../recipes/recipe.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import { originSchema } from '../vision/weights/index.ts';
import { covariateSourceSchema, runCovariateSchema } from './covariates.ts';

/** The format of run folders that this version writes and reads. */
export const RUN_FORMAT = 2;

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A path in the folder, never out of it. */
const innerPath = z
  .string()
  .regex(/^[^/\\]+(\/[^/\\]+)*$/)
  .refine(
    (path) => path.split('/').every((part) => part !== '..' && part !== '.'),
    'leads out of the folder',
  );

/** The masses that were to be learnt; absent: all that were measured. */
const learntMasses = z.array(z.enum(MASS_NAMES)).readonly().optional();

/** Where a run's data were: paths relative to the run. */
export const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folder'),
    folder: z.string(),
    dates: z.enum(DATE_ORDERS).optional(),
    covariates: covariateSourceSchema.optional(),
    learn: learntMasses,
  }),
  z.strictObject({
    kind: z.literal('table'),
    table: z.string(),
    /** Folder of the photos. */
    photos: z.string(),
    sheet: z.string().optional(),
    /** What columns are, where a person said so. */
    columns: columnMappingSchema.optional(),
    dates: z.enum(DATE_ORDERS).optional(),
    decimal: z.enum(DECIMAL_NAMES).optional(),
    covariates: covariateSourceSchema.optional(),
    learn: learntMasses,
  }),
  z.strictObject({
    kind: z.literal('features'),
    /** Feature files with the same photos. */
    features: z.array(z.string()).min(1).readonly(),
    ids: z.string(),
    labels: z.string(),
    dates: z.enum(DATE_ORDERS).optional(),
    covariates: covariateSourceSchema.optional(),
    learn: learntMasses,
  }),
]);

/** Area of the frame that masses stand on; absent where it was not said and is that of the competition's quadrat. */
const frameArea = z.number().positive().optional();

/** What every manifest says. */
const shared = {
  format: z.literal(RUN_FORMAT),
  status: z.enum(['incomplete', 'complete']),
  sward: z.string(),
  seed: z.int(),
  /** Of all that decides what is written: only the same can be resumed. */
  fingerprint: z.string(),
  /** SHA-256 of the files that are not to change, by their path in the folder; until it is complete, of folds alone. */
  files: z.record(innerPath, sha256),
};

/** What a person who is given a run is told of it. */
const aboutSchema = z.strictObject({
  /** In one line. */
  what: z.string().min(1),
  /** Of the run itself, as `CC BY-SA 4.0`. */
  licence: z.string().min(1),
  /** Whom to name, and where the data come from. */
  attribution: z.string().min(1),
  /** Visits it was trained on. */
  sessions: z.int().min(1),
  /** Of all out-of-fold predictions together, of photos alone. */
  weighted_r2: z.number(),
  /** With what was measured beside the photos. */
  with: z
    .array(z.strictObject({ covariates: z.array(z.string()).min(1), weighted_r2: z.number() }))
    .optional(),
});

const trainedSchema = z.strictObject({
  ...shared,
  kind: z.literal('trained'),
  recipe: z.unknown(),
  folds: z.strictObject({
    count: z.int().min(2),
    grouping: z.enum(GROUPINGS),
    stratification: z.enum(STRATIFICATIONS),
    /** Whether the folds were drawn by sward or given. */
    origin: z.enum(['drawn', 'given']),
  }),
  data: z.strictObject({
    /** Null of a run that was passed on without its data. */
    source: sourceSchema.nullable(),
    images: z.int().min(1),
    /** The feature sets trained on, in the order of their columns. */
    sets: z
      .array(
        z.strictObject({
          name: z.string(),
          columns: z.int().min(1),
          /** The backbone's weights that made the features, by content; null where there are none. */
          weights: z
            .strictObject({
              source: z.string(),
              sha256: z.string(),
              /** Where the file lies, relative to the run; null for weights that have a name. */
              file: z.string().nullable(),
            })
            .nullable(),
        }),
      )
      .min(1)
      .readonly(),
    fingerprint: z.string(),
    area_m2: frameArea,
    /** What was measured beside the photos and its models read where it is known; absent: nothing. */
    covariates: z.array(runCovariateSchema).min(1).readonly().optional(),
  }),
  /** The files each fold's model was taken from, where it was trained elsewhere; without `fold`, one a fold in order. */
  imported: z
    .array(z.strictObject({ file: z.string(), sha256: z.string(), fold: z.int().nonnegative().optional() }))
    .min(2)
    .readonly()
    .optional(),
  /** Of a run that was passed on: what its receiver is told of it. */
  about: aboutSchema.optional(),
});

const ensembleSchema = z.strictObject({
  ...shared,
  kind: z.literal('ensemble'),
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
  /** Post-processing in order, with what each step was fitted to of all out-of-fold rows. */
  post: z.array(fittedStepSchema),
  /** The same where photos are answered by covariates that members read, the largest set first. */
  cases: z
    .array(
      z.strictObject({
        covariates: z.array(z.string()).min(1),
        weights: z.array(z.array(z.number())).length(5).nullable(),
        post: z.array(fittedStepSchema),
      }),
    )
    .optional(),
  data: z.strictObject({
    source: sourceSchema,
    images: z.int().min(1),
    area_m2: frameArea,
    /** All that members read. */
    covariates: z.array(runCovariateSchema).min(1).readonly().optional(),
  }),
});

const pretrainingSchema = z.strictObject({
  ...shared,
  kind: z.literal('pretraining'),
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
        /** Mean and deviation are those of the training photos. */
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
  curves: z.array(z.record(z.string(), z.number())),
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
});

/** What a person who is given a run is told of it. */
export type AboutRun = z.output<typeof aboutSchema>;

/** `run.json` of a trained run: what was asked for and with what data. */
export type TrainedManifest = Omit<z.output<typeof trainedSchema>, 'recipe'> & { readonly recipe: Recipe };
/** `run.json` of an ensemble. */
export type EnsembleManifest = z.output<typeof ensembleSchema>;
/** `pretrain.json`: what a backbone was trained further with, and what came of it. */
export type PretrainingManifest = z.output<typeof pretrainingSchema>;
export type Manifest = TrainedManifest | EnsembleManifest | PretrainingManifest;
export type ManifestKind = Manifest['kind'];

/** What the manifests of each kind are called, and what a person is told of the kind. */
const KINDS = {
  trained: {
    file: 'run.json',
    schema: trainedSchema,
    title: 'run',
    again: 'train the run again with --overwrite',
  },
  ensemble: { file: 'run.json', schema: ensembleSchema, title: 'ensemble', again: 'make the ensemble again' },
  pretraining: {
    file: 'pretrain.json',
    schema: pretrainingSchema,
    title: 'pretraining',
    again: 'start again with --overwrite',
  },
} as const;

/** The manifest's file in a folder of a kind. */
export const manifestFile = (kind: ManifestKind): string => KINDS[kind].file;

/** All names that manifests have. */
export const MANIFEST_FILES: readonly string[] = ['run.json', 'pretrain.json'];

/** Writes a manifest atomically. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomically(
    join(folder, manifestFile(manifest.kind)),
    `${JSON.stringify(manifest, null, 2)}\n`,
  );
}

/** Whether a manifest is sward's, of whatever format: what else is called so is somebody else's. */
export async function isOwnManifest(path: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await readText(path));
    return z.object({ sward: z.string(), fingerprint: z.string() }).safeParse(value).success;
  } catch {
    return false;
  }
}

/**
 * The manifest of a folder, complete or not.
 *
 * @param file which manifest; default `run.json`
 * @throws InputError when the folder has none that can be read, or it is of another format
 */
export async function readManifest(folder: string, file = KINDS.trained.file as string): Promise<Manifest> {
  const path = join(folder, file);
  let value: unknown;
  try {
    value = JSON.parse(await readText(path));
  } catch (error) {
    throw new InputError(
      path,
      `cannot be read (${reasonOf(error)})`,
      `name a folder that sward ${file === 'run.json' ? 'train' : 'pretrain'} wrote`,
    );
  }
  const known = z.object({ format: z.number(), kind: z.string().optional() }).safeParse(value).data;
  if (known && known.format !== RUN_FORMAT) {
    throw new InputError(
      path,
      `is a run folder of format ${known.format}, and this version of sward reads format ${RUN_FORMAT}`,
      known.format < RUN_FORMAT
        ? 'train the run again with --overwrite'
        : 'use the version of sward that wrote it',
    );
  }
  const kind = Object.keys(KINDS).find((name) => name === known?.kind) as ManifestKind | undefined;
  const { schema, title, again } = KINDS[kind ?? 'trained'];
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    const article = title === 'ensemble' ? 'an' : 'a';
    const what = `is not ${article} ${title} of this version (${first?.path.join('.')}: ${first?.message})`;
    throw new InputError(path, what, again);
  }
  const { data } = parsed;
  const fault = data.status === 'complete' ? faultOf(data) : null;
  if (fault) throw new InputError(path, fault, again);
  return data.kind === 'trained' ? { ...data, recipe: parseStoredRecipe(path, data.recipe) } : data;
}

/** What a manifest that calls its folder complete says that cannot be; null where it may be true. */
function faultOf(manifest: z.output<(typeof KINDS)[ManifestKind]['schema']>): string | null {
  const names = Object.keys(manifest.files);
  const folders = new Set(names.map((name) => name.split('/')[0] as string));
  const isPassedOn = manifest.kind === 'trained' && manifest.data.source === null;
  const wanted = isPassedOn ? ['calibration.json'] : ['folds.csv', 'oof.csv'];
  if (manifest.kind === 'pretraining') return names.length > 0 ? null : 'names no files of the folder';
  if (manifest.kind === 'trained') {
    const folds = Array.from({ length: manifest.folds.count }, (_, fold) => `fold-${fold}`);
    const further = [...folders].find((name) => /^fold-\d+$/.test(name) && !folds.includes(name));
    if (further) return `speaks of ${folds.length} folds, and of ${further}`;
    wanted.push(...folds);
  } else if (manifest.weights === null) {
    wanted.push('stack');
  } else if (!manifest.weights.every((row) => areShares(row, manifest.members.length))) {
    return `has weights that are not shares of its ${manifest.members.length} members`;
  }
  const lacking = wanted.find((name) => !folders.has(name));
  return lacking ? `names no ${lacking} among the files of the folder` : null;
}

const areShares = (weights: readonly number[], count: number): boolean =>
  weights.length === count &&
  weights.every((weight) => weight >= 0) &&
  Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-6;

/** The manifest of a finished trained run or ensemble. @throws InputError as {@link readManifest} */
export async function readCompleteManifest(folder: string): Promise<TrainedManifest | EnsembleManifest> {
  const manifest = await readManifest(folder);
  if (manifest.kind === 'pretraining') throw new RangeError('a pretraining has a manifest of its own');
  if (manifest.status === 'complete') return manifest;
  throw manifest.kind === 'ensemble'
    ? new InputError(folder, 'is an unfinished ensemble', 'make it again with --overwrite')
    : new InputError(
        folder,
        'is an unfinished run',
        'finish it with the same sward train command and --resume',
      );
}

/** The manifest of a finished trained run. @throws InputError also for an ensemble */
export async function readTrainedManifest(folder: string): Promise<TrainedManifest> {
  const manifest = await readCompleteManifest(folder);
  if (manifest.kind === 'trained') return manifest;
  throw new InputError(folder, 'is an ensemble, which has no model of its own', 'name one of its members');
}

/**
 * Where a run's data were, relative to the run.
 *
 * @throws UsageError where the run was passed on without them
 */
export function requireData(
  folder: string,
  { data }: Pick<TrainedManifest, 'data'>,
): NonNullable<TrainedManifest['data']['source']> {
  if (data.source) return data.source;
  throw new UsageError(
    `${folder} was passed on without its data: it predicts, and has no out-of-fold predictions to report on or to ` +
      'combine; train a run of your own for that',
  );
}

/** Area of the frame that a run's masses stand on, m². */
export function frameAreaOf({ data }: TrainedManifest | EnsembleManifest): number {
  return data.area_m2 ?? QUADRAT_AREA_SQUARE_METRES;
}
