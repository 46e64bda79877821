import { dayAndTime } from '../parts/words.ts';
import { TOLERATED_SKEW_MS } from '../sync/server-clock.ts';

/**
 * What is wrong with the time of a photo that is still to come; null where it is not.
 *
 * @param now by the server's clock where that is known, milliseconds since 1970
 */
export function futureWords(capturedAt: string, now: number): string | null {
  if (Date.parse(capturedAt) <= now + TOLERATED_SKEW_MS) return null;
  return `Dated ${dayAndTime(capturedAt)}, which is still to come: the clock of the camera or of this device is wrong.`;
}
