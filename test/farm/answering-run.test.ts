import { describe, expect, it } from 'vitest';
import { answeringRun } from '../../src/farm/index.ts';

describe('the run that a visit is answered by', () => {
  it('is that of most photos, and the chosen one of several that answered as many', () => {
    expect(answeringRun(['a', 'b', 'b'], 'a')).toBe('b');
    expect(answeringRun(['a', 'b', 'b', 'a'], 'b')).toBe('b');
    expect(answeringRun(['a', 'b', 'b', 'a'], 'c')).toBe('a');
    expect(answeringRun([], 'a')).toBeNull();
  });
});
