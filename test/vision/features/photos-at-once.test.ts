import { describe, expect, it } from 'vitest';
import { photosAtOnce } from '../../../src/vision/features/photos-at-once.ts';

const MIB = 2 ** 20;

describe('photos that a network takes at once', () => {
  it.each([
    ['a thread each where copies are small', 2, 88 * MIB, { photos: 2, threads: 1 }],
    ['one, with all threads, where a second copy is too large', 2, 1200 * MIB, { photos: 1, threads: 2 }],
    ['some, with some threads each, in between', 16, 344 * MIB, { photos: 2, threads: 6 }],
    ['no more than sessions are wanted', 64, 22 * MIB, { photos: 8, threads: 8 }],
    ['one on one processor', 1, 22 * MIB, { photos: 1, threads: 1 }],
  ])('are %s', (_, cores, bytes, expected) => {
    expect(photosAtOnce(cores, bytes)).toEqual(expected);
  });
});
