import { randomStream } from '../../../src/ground/random.ts';
import type { CalibrationRow } from '../../../src/pasture/intervals/index.ts';

/** What {@link inventedSessions} draws. */
export interface InventedSessions {
  readonly sessions: number;
  readonly photos: number;
  /** Deviation of the error that a session's photos have in common, over that of a photo's own. */
  readonly common: number;
  /** Deviation of all errors as a function of the prediction, grams. */
  readonly deviation?: (predicted: number) => number;
}

/** Predictions between 0 and 100 g with normal errors of known parts; cuts are never below 0. */
export function inventedSessions(
  { sessions, photos, common, deviation = () => 10 }: InventedSessions,
  seed: number,
): CalibrationRow[] {
  const random = randomStream(seed).fork('sessions');
  return Array.from({ length: sessions }, (_, session) => {
    const shared = common * random.normal();
    return Array.from({ length: photos }, () => {
      const predicted = 100 * random.uniform();
      const error = (deviation(predicted) * (shared + random.normal())) / Math.hypot(1, common);
      return {
        session: `session ${session}`,
        fold: session % 5,
        predicted,
        observed: Math.max(0, predicted + error),
      };
    });
  }).flat();
}
