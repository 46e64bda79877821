import { z } from 'zod';
import { GROUPINGS, STRATIFICATIONS } from '../../data/folds/index.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { packageVersion } from '../../ground/version.ts';
import { sourceSchema } from '../../runs/manifest.ts';
import { cropSchema } from '../../vision/framing/crop.ts';

const count = z.int().min(0);
const key = z.string().regex(/^[0-9a-f]{32}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const readings = z.record(z.string(), z.number());

/** A photo that a unit is about. */
const photoSchema = z.strictObject({
  imageId: z.string(),
  /** A path that all machines know, or `s3://bucket/key`. */
  path: z.string(),
  /** Of an object, its ETag: it is read as it was when the work was planned. */
  version: z.string().optional(),
  /** Whether it is a file that the planning machine did not find either. */
  lost: z.literal(true).optional(),
  /** What was measured beside it, by the covariate's name. */
  readings: readings.optional(),
  state: z.string().nullable().optional(),
});
export type UnitPhoto = z.output<typeof photoSchema>;

/** A file that the planning machine has put into the store, by its path there. */
const stagedSchema = z.strictObject({ path: z.string(), sha256 });
export type StagedFile = z.output<typeof stagedSchema>;

const trainSchema = z.strictObject({
  kind: z.literal('train'),
  source: sourceSchema,
  areaSquareMetres: z.number().positive().optional(),
  /** As a run folder keeps it; checked as there. */
  recipe: z.unknown(),
  plan: z.strictObject({
    folds: z.union([count, z.string()]),
    orFewer: z.boolean().optional(),
    seed: z.int(),
    grouping: z.enum(GROUPINGS),
    stratification: z.enum(STRATIFICATIONS),
  }),
  /** Of recipe, data, weights, folds and seed: a machine that sees others refuses. */
  fingerprint: z.string(),
  part: z.union([
    z.strictObject({ fold: count, member: count.nullable() }),
    z.strictObject({ state: count }),
  ]),
});

const predictSchema = z.strictObject({
  kind: z.literal('predict'),
  /** A run folder, or the name of a run that comes with sward. */
  run: z.string(),
  fingerprint: z.string(),
  asked: z.union([
    z.strictObject({ photos: z.array(photoSchema).min(1).readonly() }),
    z.strictObject({
      /** Feature files with the same rows; those of this unit are read, and no others. */
      features: z.array(z.string()).min(1).readonly(),
      start: count,
      ids: z.array(z.string()).min(1).readonly(),
      /** As of photos, one a row. */
      readings: z.array(readings).readonly().optional(),
      states: z.array(z.string().nullable()).readonly().optional(),
    }),
  ]),
  tta: z.enum(['none', 'flips', 'd4']),
  crop: cropSchema.nullable().optional(),
  /** Draws with dropout left on, and how many photos are asked about before these, by what was measured beside them. */
  dropout: z
    .strictObject({
      samples: z.int().min(2),
      first: z
        .array(z.strictObject({ covariates: z.array(z.string()).readonly(), count: count.min(1) }))
        .readonly(),
    })
    .optional(),
  /** Biomass maps are drawn, on this frame, which is so many times the run's own. */
  maps: z.strictObject({ areaSquareMetres: z.number().positive(), scale: z.number().positive() }).optional(),
  /** What counts of each photo is written. */
  crops: z.literal(true).optional(),
});

const featuresSchema = z.strictObject({
  kind: z.literal('features'),
  backbone: z.string(),
  weights: sha256,
  /** As `featurePlan` takes it; checked there. */
  plan: z.record(z.string(), z.unknown()),
  crop: cropSchema.nullable(),
  photos: z.array(photoSchema).min(1).readonly(),
});

const workSchema = z.discriminatedUnion('kind', [trainSchema, predictSchema, featuresSchema]);
/** What is to be computed. */
export type Work = z.output<typeof workSchema>;
export type TrainWork = z.output<typeof trainSchema>;
export type PredictWork = z.output<typeof predictSchema>;
export type FeaturesWork = z.output<typeof featuresSchema>;

/** A piece of work that one machine does by itself, whichever engine gives it to it. */
export const unitSpecSchema = z.strictObject({
  format: z.literal(1),
  sward: z.string(),
  /** Where its result goes, and the job that it is of there. */
  store: z.string(),
  job: z.string().regex(/^[\w-]+$/),
  /** Hash of everything that decides its result. */
  key,
  /** What people call it: `fold 3`. */
  name: z.string(),
  /** The folder that relative paths start from. */
  folder: z.string(),
  staged: z.array(stagedSchema).readonly(),
  work: workSchema,
});
export type UnitSpec = z.output<typeof unitSpecSchema>;

/** A job as its store lists it. */
export const jobListSchema = z.strictObject({
  format: z.literal(1),
  sward: z.string(),
  store: z.string(),
  job: z.string(),
  units: z.array(z.strictObject({ key, name: z.string() })).readonly(),
});
export type JobList = z.output<typeof jobListSchema>;

/** The key of a unit: hash of this version of sward and of what is to be computed. */
export const unitKey = (work: unknown): string => valueFingerprint([packageVersion(), work]).slice(0, 32);

/** Numbers that JSON has not, as texts that no name is. */
const MARK = '\u0000';

/** JSON that keeps NaN and infinities. */
export const exactJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part) ? `${MARK}${part}` : part,
  );

/** Reads {@link exactJson}. */
export const parseExactJson = (text: string): unknown =>
  JSON.parse(text, (_, part: unknown) =>
    typeof part === 'string' && part.startsWith(MARK) ? Number(part.slice(MARK.length)) : part,
  );
