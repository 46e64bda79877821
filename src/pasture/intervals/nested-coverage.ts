import { type CalibrationRow, type Interval, physicalInterval, rowsBySession } from './interval.ts';
import { calibratePaddock, paddockInterval } from './paddock-interval.ts';
import { calibratePhotos, scoreLimit } from './photo-interval.ts';
import { type SpreadModel, spreadAt } from './spread-model.ts';

/** How intervals did on sessions that had no part in making them. */
export interface Coverage {
  /** What was asked for. */
  readonly nominal: number;
  /** Share of photos whose cut lay within. */
  readonly photos: number;
  /** The same share, first taken within each session. */
  readonly sessions: number;
  /** Mean width over photos, grams. */
  readonly width: number;
}

/** One target's coverage at one nominal level. */
export interface NestedCoverage {
  readonly nominal: number;
  /** Intervals of single photos. */
  readonly single: Coverage;
  /** Intervals of single photos had they all the same half-width, cut at 0 as well. */
  readonly constant: Coverage;
  /** Intervals of the mean of all photos of a session; one a session. */
  readonly mean: Coverage;
}

const CONSTANT: SpreadModel = { offset: 1, exponent: 0 };

/** A row at a nominal level, or a whole session at it, and the interval made without its session. */
interface Covered {
  readonly session: number;
  readonly observed: number;
  readonly interval: Interval;
}

/**
 * Leaves each session out in turn: spread, scores and levels come from the other sessions only, so the coverage is
 * that of photos of a new session. Out-of-fold predictions stand for the fold models', which cannot be had without
 * a second session left out.
 *
 * @param nominals coverages to try, as 0.9
 * @returns null with fewer than three sessions, where leaving one out leaves nothing to compare
 */
export function nestedCoverage(
  rows: readonly CalibrationRow[],
  nominals: readonly number[],
): NestedCoverage[] | null {
  const sessions = rowsBySession(rows);
  if (sessions.length < 3) return null;
  const held = sessions.map((members, session) => {
    const inside = new Set(members);
    const others = rows.filter((_, row) => !inside.has(row));
    return {
      session,
      own: members.map((row) => rows[row] as CalibrationRow),
      fitted: calibratePhotos(others),
      constant: calibratePhotos(others, CONSTANT),
      paddock: calibratePaddock(others),
    };
  });
  return nominals.map((nominal) => {
    const single = (kind: 'fitted' | 'constant'): Coverage =>
      summary(
        nominal,
        held.flatMap(({ session, own, [kind]: calibration }) => {
          const limit = scoreLimit(calibration, nominal);
          return own.map(({ predicted, observed }) => {
            const half = limit * spreadAt(calibration.spread, predicted);
            return {
              session,
              observed,
              interval: physicalInterval(predicted - half, predicted, predicted + half),
            };
          });
        }),
      );
    const means = held.map(({ session, own, paddock }) => ({
      session,
      observed: own.reduce((sum, row) => sum + row.observed, 0) / own.length,
      interval: paddockInterval(
        paddock,
        own.map((row) => row.predicted),
        nominal,
      ),
    }));
    return { nominal, single: single('fitted'), constant: single('constant'), mean: summary(nominal, means) };
  });
}

/** Room for the rounding of sums and of masses that were written to a file. */
const ROUNDING = 1e-9;

function summary(nominal: number, covered: readonly Covered[]): Coverage {
  const bySession = new Map<number, boolean[]>();
  for (const { session, observed, interval } of covered) {
    const inside = observed >= interval.low - ROUNDING && observed <= interval.high + ROUNDING;
    const found = bySession.get(session);
    if (found) found.push(inside);
    else bySession.set(session, [inside]);
  }
  const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length;
  const parts = [...bySession.values()];
  return {
    nominal,
    photos: share(parts.flat()),
    sessions: parts.reduce((sum, part) => sum + share(part), 0) / parts.length,
    width: covered.reduce((sum, { interval }) => sum + interval.high - interval.low, 0) / covered.length,
  };
}
