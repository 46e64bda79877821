import { z } from 'zod';
import { mean } from '../ground/statistics.ts';
import { spreadAt } from '../pasture/intervals/index.ts';
import { massTable } from './mass-table.ts';
import type { ResidualVariances } from './residual-variances.ts';

/** How a run errs on visits it has not seen, of one mass, as it may be kept and sent without the run. */
export const ErrorRecord = z.strictObject({
  spread: z
    .strictObject({ offset: z.number(), exponent: z.number() })
    .describe('how errors grow with the mass: ((mass + offset) / offset)^exponent, grams on the run’s frame'),
  betweenSessions: z.number().min(0).describe('variance of a session’s common error, in spreads squared'),
  withinSessions: z.number().min(0).describe('variance of a photo’s own error, in spreads squared'),
  sessions: z.int().min(1),
  photos: z.int().min(1),
});
export type ErrorRecord = z.output<typeof ErrorRecord>;

/** How a run errs, grams on its frame; null of a mass that it does not predict. */
export const RunErrors = z.strictObject({
  photo: massTable(ErrorRecord).describe('of what it says by the photo alone'),
  height: massTable(ErrorRecord)
    .nullable()
    .describe('of what it says where it is told the sward’s height; null of a run that reads none'),
});
export type RunErrors = z.output<typeof RunErrors>;

/** A new session lies within what K sessions have shown as often as this at most: they cannot vouch for more. */
export const vouchedBy = ({ sessions }: Pick<ErrorRecord, 'sessions'>): number => sessions / (sessions + 1);

/** Of fewer sessions than vouch for so much, the variance between them is not taken as it came out. */
const WELL_VOUCHED = 0.9;

/**
 * The variance between sessions that is reckoned with. Of few sessions it often comes out as nothing, or nearly, where it
 * is not: it is then taken to be at least the standard error of its own estimate, √(2 / K) of the variance that means of a
 * session's photos have (Searle, Casella & McCulloch 1992, 3.7; for why not nothing, Chung et al., Psychometrika 78, 2013).
 */
function betweenOf(record: ErrorRecord): number {
  const { betweenSessions, withinSessions, sessions, photos } = record;
  if (vouchedBy(record) >= WELL_VOUCHED) return betweenSessions;
  const ofMeans = betweenSessions + (withinSessions * sessions) / photos;
  return Math.max(betweenSessions, Math.sqrt(2 / sessions) * ofMeans);
}

/**
 * The variances that a record speaks of for a visit: more where there is more sward, and never nothing between few sessions.
 *
 * @param estimates of the visit's photos, grams on the run's frame, at least one
 * @returns grams squared
 */
export function variancesAt(record: ErrorRecord, estimates: readonly number[]): ResidualVariances {
  const spreads = estimates.map((grams) => spreadAt(record.spread, grams));
  return {
    betweenSessions: betweenOf(record) * mean(spreads) ** 2,
    withinSessions: record.withinSessions * mean(spreads.map((spread) => spread ** 2)),
    sessions: record.sessions,
    photos: record.photos,
  };
}
