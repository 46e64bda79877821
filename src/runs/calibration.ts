import { rollup } from 'd3-array';
import { z } from 'zod';
import { type CovariateSet, sameSet } from '../pasture/covariates.ts';
import {
  type CalibrationRow,
  calibratePaddock,
  calibratePhotos,
  type PaddockCalibration,
  type PhotoCalibration,
  restoredPaddock,
  storedPaddock,
} from '../pasture/intervals/index.ts';
import { MASS_NAMES, TARGET_NAMES, targetsToArray } from '../pasture/targets.ts';
import { measuredCases } from './covariate-cases.ts';
import type { OutOfFoldRow, RunResults } from './results.ts';

/** What intervals and doubts are made of, masses in the order of `TARGET_NAMES`. */
export interface Calibration {
  readonly sessions: number;
  /** The largest measured total, grams; null where no total was measured. */
  readonly mostMeasured: number | null;
  /** Null of masses that the run does not predict. */
  readonly photos: readonly (PhotoCalibration | null)[];
  readonly paddocks: readonly (PaddockCalibration | null)[];
  /** Of a run with covariates, whose answers without any the rest is of: the same of answers by each set of them. */
  readonly cases?: readonly (Calibration & { readonly covariates: CovariateSet })[];
}

/** What is known of answers by a set of covariates; of sets that no photo had, of answers without. */
export function calibrationOf(all: Calibration, set: CovariateSet): Calibration {
  return all.cases?.find(({ covariates }) => sameSet(covariates, set)) ?? all;
}

/**
 * What out-of-fold predictions of a finished run, trained or an ensemble, say of how far it errs: with covariates as
 * far as answers with them do, so that who measures is told more.
 */
export function calibrate({ rows, cases }: Pick<RunResults, 'rows' | 'cases'>): Calibration {
  const without = cases?.find(({ covariates }) => covariates.length === 0);
  return {
    ...calibrateRows(without?.rows ?? rows),
    ...(cases && {
      cases: measuredCases({ cases }).map((one) => ({
        covariates: one.covariates,
        ...calibrateRows(one.rows),
      })),
    }),
  };
}

function calibrateRows(rows: readonly OutOfFoldRow[]): Calibration {
  const byTarget = TARGET_NAMES.map((_, target) => calibrationRows(rows, target));
  return {
    sessions: new Set(rows.map(({ session }) => session)).size,
    mostMeasured: greatest(rows.map((row) => row.observed.total)),
    photos: byTarget.map((target) => (target.length > 0 ? calibratePhotos(target) : null)),
    paddocks: byTarget.map((target) => (target.length > 0 ? calibratePaddock(target) : null)),
  };
}

function greatest(masses: readonly number[]): number | null {
  const known = masses.filter((grams) => !Number.isNaN(grams));
  return known.length > 0 ? Math.max(...known) : null;
}

/**
 * One target's column of out-of-fold predictions, with the sessions that are exchangeable: photos of which it was
 * measured.
 */
export function calibrationRows(rows: readonly OutOfFoldRow[], target: number): CalibrationRow[] {
  return rows
    .map((row) => ({
      session: row.session,
      fold: row.fold,
      predicted: targetsToArray(row.predicted)[target] ?? Number.NaN,
      observed: targetsToArray(row.observed)[target] ?? Number.NaN,
    }))
    .filter(({ observed }) => !Number.isNaN(observed));
}

const numbers = z.array(z.number());
const spread = z.strictObject({ offset: z.number(), exponent: z.number() });

const ofCase = {
  sessions: z.int().min(1),
  mostMeasured: z.number().nullable(),
  targets: z
    .array(
      z.strictObject({
        target: z.enum(MASS_NAMES),
        /** Null of a mass that the run does not predict. */
        photo: z.strictObject({ spread, folds: numbers, scores: numbers, sharesBelow: numbers }).nullable(),
        paddock: z
          .strictObject({
            spread,
            betweenSessions: z.number(),
            withinSessions: z.number(),
            sessions: z.int().min(1),
            scores: z.array(z.array(z.tuple([z.number(), z.number()]))).min(1),
          })
          .nullable(),
      }),
    )
    .length(TARGET_NAMES.length),
};
const caseSchema = z.strictObject(ofCase);
/** A calibration as it is stored: how out-of-fold predictions erred, no photo named. */
export const calibrationSchema = z.strictObject({
  ...ofCase,
  cases: z.array(z.strictObject({ ...ofCase, covariates: z.array(z.string()).min(1) })).optional(),
});

/** A calibration as it is stored (see {@link calibrationSchema}). */
export type StoredCalibration = z.output<typeof calibrationSchema>;

/** What is stored of a run's out-of-fold predictions for whoever has not its data. */
export function storedCalibration(results: Pick<RunResults, 'rows' | 'cases'>): StoredCalibration {
  const { cases, ...without } = calibrate(results);
  const { rows } = results;
  return {
    ...stored(without, rows),
    ...(cases && {
      cases: cases.map(({ covariates, ...own }) => ({ ...stored(own, rows), covariates: [...covariates] })),
    }),
  };
}

function stored(
  { sessions, mostMeasured, photos, paddocks }: Calibration,
  rows: readonly OutOfFoldRow[],
): z.output<typeof caseSchema> {
  const largest = Math.max(
    ...rollup(
      rows,
      ({ length }) => length,
      ({ session }) => session,
    ).values(),
  );
  return {
    sessions,
    // Whole grams: it is a limit, and no photo's mass.
    mostMeasured: mostMeasured === null ? null : Math.ceil(mostMeasured),
    targets: MASS_NAMES.map((target, index) => {
      const photo = photos[index];
      const own = paddocks[index];
      if (!photo || !own) return { target, photo: null, paddock: null };
      const paddock = storedPaddock(own, largest);
      return {
        target,
        photo: {
          spread: photo.spread,
          folds: [...photo.folds],
          scores: [...photo.scores],
          sharesBelow: [...photo.sharesBelow],
        },
        paddock: { ...paddock, scores: paddock.scores.map((size) => size.map(([a, b]) => [a, b])) },
      };
    }),
  };
}

/** What {@link storedCalibration} stored. */
export function restoredCalibration({ cases, ...without }: StoredCalibration): Calibration {
  return {
    ...restored(without),
    ...(cases && { cases: cases.map(({ covariates, ...own }) => ({ covariates, ...restored(own) })) }),
  };
}

function restored({ sessions, mostMeasured, targets }: z.output<typeof caseSchema>): Calibration {
  return {
    sessions,
    mostMeasured,
    photos: targets.map(
      ({ photo }) =>
        photo && {
          ...photo,
          scores: Float64Array.from(photo.scores),
          sharesBelow: Float64Array.from(photo.sharesBelow),
        },
    ),
    paddocks: targets.map(({ paddock }) => paddock && restoredPaddock(paddock)),
  };
}
