import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../../src/networks/inputs/bounded-cache.ts';

/** A cache of texts and what was made for it, in order. */
function counted(limit: number) {
  const made: string[] = [];
  const cache = new BoundedCache<string>(limit, (text) => text.length);
  const get = (key: string): Promise<string> =>
    cache.get(key, async () => {
      made.push(key);
      return `value of ${key}`;
    });
  return { made, get };
}

describe('a bounded cache', () => {
  it('makes every value once while there is room', async () => {
    const { made, get } = counted(1000);
    for (const key of ['a', 'b', 'c', 'a', 'b']) expect(await get(key)).toBe(`value of ${key}`);
    expect(made).toEqual(['a', 'b', 'c']);
  });

  it('makes room by forgetting what was not used for longest', async () => {
    const { made, get } = counted(2 * 'value of a'.length);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });

  it('makes a value once for all who ask for it at the same time', async () => {
    const { made, get } = counted(0);
    await Promise.all([get('a'), get('a')]);
    expect(made).toEqual(['a']);
    await get('a');
    expect(made).toEqual(['a', 'a']);
  });

  it('remembers no failure', async () => {
    const cache = new BoundedCache<string>(100, () => 1);
    const failing = () => Promise.reject(new Error('no photo'));
    await expect(cache.get('a', failing)).rejects.toThrow('no photo');
    expect(await cache.get('a', async () => 'there now')).toBe('there now');
  });
});
