import { describe, expect, it } from 'vitest';
import { tileSizes } from '../../../src/tensor/program/processor.ts';

describe('tile sizes', () => {
  it('are short where the second-level cache holds a chain of short tiles, long in a smaller one', () => {
    const [small, large] = [tileSizes('512K\n'), tileSizes('2048K\n')];
    expect(large.tile).toBeLessThan(small.tile);
    // A chain such as AdamW's has up to six float32 arrays at hand at once.
    expect(6 * 4 * large.tile).toBeLessThanOrEqual(2048 * 1024);
    for (const { least, tile } of [small, large]) expect(least).toBeGreaterThan(tile);
  });

  it('are the same in either unit, and those of a large cache where it is not known', () => {
    expect(tileSizes('2M\n')).toEqual(tileSizes('2048K\n'));
    expect(tileSizes('256K\n')).toEqual(tileSizes('512K\n'));
    for (const unknown of ['', 'unknown']) expect(tileSizes(unknown)).toEqual(tileSizes('1024K\n'));
  });

  it('are known for this machine', () => {
    expect([tileSizes('512K').tile, tileSizes('2M').tile]).toContain(tileSizes().tile);
  });
});
