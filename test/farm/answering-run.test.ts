import { describe, expect, it } from 'vitest';
import { answeringRun, answerShown } from '../../src/farm/index.ts';

const said = (hash: string, second: number) => ({
  run: { id: hash, name: hash, hash },
  estimatedAt: `2026-11-28T13:00:0${second}.000Z`,
});

describe('the run that a visit is answered by', () => {
  it('is the one in use where it has answered any photo, however many others have', () => {
    const answers = [said('a', 1), said('b', 2), said('b', 3)];
    expect(answeringRun(answers, 'a')).toBe('a');
    expect(answeringRun(answers, 'b')).toBe('b');
    expect(answeringRun([], 'a')).toBeNull();
  });

  it('is else the one that answered most, of several such the last, in whatever order they come', () => {
    const answers = [said('a', 1), said('b', 2), said('b', 3)];
    expect(answeringRun(answers, 'c')).toBe('b');
    const asMany = [...answers, said('a', 4)];
    expect(answeringRun(asMany, 'c')).toBe('a');
    expect(answeringRun(asMany.reverse(), 'c')).toBe('a');
  });

  it('gives what is shown of a photo, and where it has not answered that, the last answer is shown', () => {
    const answers = [said('a', 1), said('c', 3), said('b', 2)];
    expect(answerShown(answers, 'b')?.run.hash).toBe('b');
    expect(answerShown(answers, 'd')?.run.hash).toBe('c');
    expect(answerShown([], 'a')).toBeNull();
  });
});
