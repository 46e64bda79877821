import { describe, expect, it } from 'vitest';
import { tileSizes } from '../../../src/tensor/program/processor.ts';

describe('tile sizes', () => {
  it('are short for a large second-level cache, or one that is not known', () => {
    const short = { least: 1 << 18, tile: 1 << 16 };
    for (const size of ['1024K\n', '2048K\n', '2M\n', '', 'unknown']) expect(tileSizes(size)).toEqual(short);
  });

  it('are longer for a small one', () => {
    for (const size of ['256K\n', '512K\n'])
      expect(tileSizes(size)).toEqual({ least: 1 << 20, tile: 1 << 18 });
  });

  it('are known for this machine', () => {
    expect([1 << 16, 1 << 18]).toContain(tileSizes().tile);
  });
});
