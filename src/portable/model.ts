import { z } from 'zod';
import { SwardError } from '../ground/errors.ts';
import { HEIGHT_METHODS } from '../pasture/covariates.ts';
import { MASS_NAMES } from '../pasture/targets.ts';
import { calibrationSchema } from '../runs/calibration.ts';
import { completeWindows, featurePlanSchema } from '../vision/features/plan.ts';
import { INTERPOLATIONS } from '../vision/preprocess/taps.ts';

/** Rises whenever programs for earlier formats cannot read what is written. */
export const PORTABLE_FORMAT = 1;

/** A piece of a file has at most so many bytes: little is fetched twice when the signal is lost. */
export const PIECE_BYTES = 4_000_000;

const count = z.int().positive();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const triple = z.tuple([z.number(), z.number(), z.number()]);
const place = z.int().nonnegative();

/** A file in pieces, one after another, each beside `model.json`. */
const storedFile = z.strictObject({
  bytes: z.int().nonnegative(),
  pieces: z.array(
    z.strictObject({ file: z.string().regex(/^[0-9a-f]+\.bin$/), bytes: z.int().nonnegative(), sha256 }),
  ),
});
export type StoredFile = z.output<typeof storedFile>;

/** What features are made by; the estimators read them one after another. */
const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('descriptors') }),
  z.strictObject({
    kind: z.literal('backbone'),
    /** ONNX: `views` float32 [batch, 3, size, size], normalised, to `features` float32 [batch, width]. */
    model: storedFile,
    plan: featurePlanSchema.transform(completeWindows),
    size: count,
    interpolation: z.enum(INTERPOLATIONS),
    mean: triple,
    std: triple,
    batch: count,
    width: count,
  }),
]);
export type PortableSource = z.output<typeof source>;

/** A record of training photos (see `Domain`), as `packDomain` lays it out. */
const domain = z.strictObject({
  /** The sources whose features it is of. */
  reads: z.array(place).min(1),
  columns: count,
  weighted: z.boolean(),
  references: z.int().nonnegative(),
  support: z.strictObject({ rows: count, columns: count }),
  data: storedFile,
});
export type PortableDomain = z.output<typeof domain>;

/** What was measured beside photos and is read where it is known (see `RunCovariate`). */
const covariate = z.strictObject({
  name: z.string(),
  unit: z.string().nullable(),
  method: z.enum(HEIGHT_METHODS).nullable(),
  low: z.number(),
  high: z.number(),
});

/** Grams, as `TARGET_NAMES`; null of a mass that the run does not say. */
const fiveMasses = z.array(z.number().nullable()).length(5);

const schema = z.strictObject({
  format: z.literal(PORTABLE_FORMAT),
  sward: z.string(),
  run: z.strictObject({
    name: z.string(),
    fingerprint: z.string(),
    /** Photos and visits that its intervals are of. */
    photos: count,
    sessions: count,
    /** What whoever passed it on says of it; null of a run of one's own. */
    about: z.strictObject({ what: z.string(), licence: z.string(), attribution: z.string() }).nullable(),
    /** Of the weights of its backbones. */
    licences: z.array(z.string()),
  }),
  precision: z.enum(['fp32', 'int8', 'int4']),
  area_m2: z.number().positive(),
  sources: z.array(source).min(1),
  covariates: z.array(covariate),
  /**
   * ONNX: `source-N` float32 [1, width] each and, where there are any, `covariates` [1, count], NaN where one is not known, to `masses` [1, 5] and `folds` [folds, 5], grams, as
   * `TARGET_NAMES`.
   */
  estimators: z.strictObject({ model: storedFile, reads: z.array(place).min(1) }),
  /** The masses that the run was taught; absent: all five. Of others the estimators say 0, which means nothing. */
  masses: z.array(z.enum(MASS_NAMES)).min(1).optional(),
  domains: z.array(domain),
  calibration: calibrationSchema,
  /** SHA-256 of training photos; null where they are not known. */
  trained_on: z.array(sha256).nullable(),
  /** A small picture, RGB, with what the run itself says of it. */
  self_test: z.strictObject({ width: count, height: count, pixels: storedFile, masses: fiveMasses }),
});

/** `model.json`: a run for programs that have its photos' pixels, ONNX Runtime, and this code. */
export type PortableModel = z.output<typeof schema>;

/**
 * Checks a `model.json`.
 *
 * @throws SwardError where it is damaged, or of another format than this program knows
 */
export function parsePortableModel(value: unknown): PortableModel {
  const format = z.object({ format: z.number() }).safeParse(value).data?.format;
  if (format !== undefined && format !== PORTABLE_FORMAT) {
    throw new SwardError(
      `the model has format ${format}, this program knows ${PORTABLE_FORMAT}; ` +
        (format > PORTABLE_FORMAT ? 'load the newest program' : 'export the run again'),
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SwardError(
    `the model is damaged (${issue?.path.join('.')}: ${issue?.message}); export the run again`,
  );
}

/** Every file of a model. */
export function storedFiles({ sources, estimators, domains, self_test }: PortableModel): StoredFile[] {
  const backbones = sources.flatMap((one) => (one.kind === 'backbone' ? [one.model] : []));
  return [...backbones, estimators.model, ...domains.map(({ data }) => data), self_test.pixels];
}
