import { SAME_VISIT_MILLISECONDS } from '../../../src/farm/index.ts';
import { momentOf } from '../capture/moment.ts';
import { dayAndTime } from '../parts/words.ts';

const MINUTE_MS = 60_000;

/**
 * When a step was done, of the time that was typed: now where none was.
 *
 * @param text as a field for date and time has it, by this device's clock: `2026-11-03T09:12`
 * @param before when the step before it was done; null: it is the first
 * @throws Error for a time that is none, to come, or before that of the step before it
 */
export function stepTime(text: string, before: string | null, now: Date): string {
  if (text.trim() === '') return momentOf(now);
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Error('Give the day and the time, or leave it empty for now.');
  if (at > now.getTime()) throw new Error('That time is still to come: give when it was done.');
  if (before === null || at > Date.parse(before)) return momentOf(new Date(at));
  // What was done in the same minute was done after it all the same.
  const last = Date.parse(before);
  if (at === last - (last % MINUTE_MS)) return momentOf(new Date(last + 1));
  throw new Error(
    `The step before it was done on ${dayAndTime(before)}: give a later time, or correct that step.`,
  );
}

/**
 * When a frame was placed, as {@link stepTime}, on the visit that its photo is of.
 *
 * @param visit when its photo was taken, or else when the visit began; null: that is what it begins
 * @throws Error for a time that is of another visit
 */
export function placedTime(text: string, visit: string | null, now: Date): string {
  const at = stepTime(text, null, now);
  if (visit === null || Math.abs(Date.parse(at) - Date.parse(visit)) < SAME_VISIT_MILLISECONDS) return at;
  throw new Error(
    `The frame was photographed, or its visit begun, on ${dayAndTime(visit)}: give the time it was placed then${
      text.trim() === '' ? ', which is not now' : ''
    }.`,
  );
}
