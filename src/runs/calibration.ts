import { rollup } from 'd3-array';
import { z } from 'zod';
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
import type { OutOfFoldRow } from './results.ts';

/** What intervals and doubts are made of, masses in the order of `TARGET_NAMES`. */
export interface Calibration {
  readonly sessions: number;
  /** The largest measured total, grams; null where no total was measured. */
  readonly mostMeasured: number | null;
  /** Null of masses that the run does not predict. */
  readonly photos: readonly (PhotoCalibration | null)[];
  readonly paddocks: readonly (PaddockCalibration | null)[];
}

/** What out-of-fold predictions of a finished run, trained or an ensemble, say of how far it errs. */
export function calibrate(rows: readonly OutOfFoldRow[]): Calibration {
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

/** A calibration as it is stored: how out-of-fold predictions erred, no photo named. */
export const calibrationSchema = z.strictObject({
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
});

/** A calibration as it is stored (see {@link calibrationSchema}). */
export type StoredCalibration = z.output<typeof calibrationSchema>;

/** What is stored of a run's out-of-fold predictions for whoever has not its data. */
export function storedCalibration(rows: readonly OutOfFoldRow[]): StoredCalibration {
  const { sessions, mostMeasured, photos, paddocks } = calibrate(rows);
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
export function restoredCalibration({ sessions, mostMeasured, targets }: StoredCalibration): Calibration {
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
