import { describe, expect, it } from 'vitest';
import { type Estimate, framesOf } from '../../src/farm/index.ts';
import { uuid } from './records.ts';

const [one, two, three] = [uuid(1), uuid(2), uuid(3)];
const estimate = (photoId: string, hash: string): Estimate =>
  ({ photoId, run: { hash }, estimatedAt: '2026-11-28T13:00:00.000Z' }) as never;

describe('the frames of a visit', () => {
  it('have the estimates of one run alone, and count the photos that others alone have answered', () => {
    const estimates = [estimate(one, 'a'), estimate(two, 'a'), estimate(one, 'b')];
    const records = { photoIds: [one, two], estimates, problems: new Set<string>(), cuts: [] };
    expect(framesOf(records, 'c')).toMatchObject({ runHash: 'a', pending: 0, byOthers: 0 });
    const chosen = framesOf(records, 'b');
    expect(chosen).toMatchObject({ runHash: 'b', photos: 2, pending: 0, byOthers: 1 });
    expect(chosen.frames.map((frame) => frame.estimate?.run.hash)).toEqual(['b', undefined]);
  });

  it('count photos that wait apart from those that no run could answer', () => {
    const estimates = [estimate(one, 'a')];
    const records = { photoIds: [one, two, three], estimates, problems: new Set([one, two]), cuts: [] };
    expect(framesOf(records, 'a')).toMatchObject({ photos: 3, pending: 1, unusable: 1, unfinishedCuts: 0 });
  });
});
