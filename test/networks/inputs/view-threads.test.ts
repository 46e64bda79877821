import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ViewThreads } from '../../../src/networks/inputs/view-threads.ts';
import type { AugmentationTask } from '../../../src/vision/augment/index.ts';

const counts = vi.hoisted(() => ({ started: 0, ended: 0 }));

vi.mock('../../../src/vision/augment/augmenter.ts', () => ({
  startAugmenter: () => {
    counts.started += 1;
    return {
      run: async () => new Float32Array(1),
      close: async () => {
        counts.ended += 1;
      },
    };
  },
}));

const task = {} as AugmentationTask;

beforeEach(() => Object.assign(counts, { started: 0, ended: 0 }));

describe('threads that make views', () => {
  it('start with the first view and end with the last user', async () => {
    const threads = new ViewThreads();
    threads.enter();
    threads.enter();
    expect(counts.started).toBe(0);
    await threads.run(task);
    await threads.leave();
    expect(counts).toEqual({ started: 1, ended: 0 });
    await threads.leave();
    expect(counts).toEqual({ started: 1, ended: 1 });
  });

  it('stay for the next user while they are held, and end where nobody uses them when they are not', async () => {
    const threads = new ViewThreads();
    threads.hold();
    for (let fold = 0; fold < 3; fold++) {
      threads.enter();
      await threads.run(task);
      await threads.leave();
    }
    expect(counts).toEqual({ started: 1, ended: 0 });
    await threads.release();
    expect(counts).toEqual({ started: 1, ended: 1 });
  });
});
