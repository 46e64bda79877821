import { describe, expect, it } from 'vitest';
import { momentOf } from '../../web/src/capture/moment.ts';
import { placedTime, stepTime } from '../../web/src/visits/step-time.ts';

/** As a field for date and time has it. */
const typed = (date: Date): string => momentOf(date).slice(0, 16);
const at = (hours: number, minutes = 0, seconds = 0): Date => new Date(2026, 10, 3, hours, minutes, seconds);
const now = at(18, 30, 20);

describe('the time of a step', () => {
  it('is now where none is given, and what was typed where one is', () => {
    expect(Date.parse(stepTime('', null, now))).toBe(now.getTime());
    expect(stepTime(typed(at(9, 12)), null, now)).toBe(momentOf(at(9, 12)));
    expect(stepTime(typed(at(9, 12)), momentOf(at(8)), now)).toBe(momentOf(at(9, 12)));
    expect(stepTime(typed(now), momentOf(at(8)), now)).toBe(momentOf(at(18, 30)));
  });

  it('follows the step before it, also within its minute', () => {
    const before = momentOf(at(9, 12, 40));
    expect(Date.parse(stepTime(typed(at(9, 12)), before, now))).toBeGreaterThan(Date.parse(before));
    expect(() => stepTime(typed(at(9, 11)), before, now)).toThrow(/The step before it was done on/);
  });

  it('is refused in words where it is to come or none', () => {
    expect(() => stepTime(typed(at(18, 31)), null, now)).toThrow(/still to come/);
    expect(() => stepTime('yesterday', null, now)).toThrow(/Give the day and the time/);
  });

  it('of a frame is that of the visit its photo is of', () => {
    expect(placedTime(typed(at(9, 12)), momentOf(at(9)), now)).toBe(momentOf(at(9, 12)));
    expect(() => placedTime('2026-10-01T09:00', momentOf(at(9)), now)).toThrow(/photographed.*on 3 Nov/);
    const month = new Date(2026, 11, 3);
    expect(() => placedTime('', momentOf(at(9)), month)).toThrow(/which is not now/);
    expect(Date.parse(placedTime('', null, month))).toBe(month.getTime());
  });
});
