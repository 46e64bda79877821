import { describe, expect, it } from 'vitest';
import { type Estimate, framesOf } from '../../src/farm/index.ts';
import { uuid } from './records.ts';

const [one, two, three] = [uuid(1), uuid(2), uuid(3)];
const estimate = (photoId: string, hash: string): Estimate => ({ photoId, run: { hash } }) as never;

describe('the frames of a visit', () => {
  it('have the estimates of one run alone: the one that answered most, or the chosen one of as many', () => {
    const estimates = [estimate(one, 'a'), estimate(two, 'a'), estimate(one, 'b')];
    const records = { photoIds: [one, two], estimates, problems: new Set<string>(), cuts: [] };
    expect(framesOf(records, 'b')).toMatchObject({ runHash: 'a', pending: 0 });
    const asMany = { ...records, estimates: [...estimates, estimate(two, 'b')] };
    const chosen = framesOf(asMany, 'b');
    expect(chosen.runHash).toBe('b');
    expect(chosen.frames.map((frame) => frame.estimate?.run.hash)).toEqual(['b', 'b']);
  });

  it('count photos that wait apart from those that no run could answer', () => {
    const estimates = [estimate(one, 'a')];
    const records = { photoIds: [one, two, three], estimates, problems: new Set([one, two]), cuts: [] };
    expect(framesOf(records, 'a')).toMatchObject({ photos: 3, pending: 1, unusable: 1, unfinishedCuts: 0 });
  });
});
