import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { firstNear } from '../../../src/vision/photos/near-hashes.ts';
import { type PerceptualHash, perceptualDistance } from '../../../src/vision/photos/perceptual-hash.ts';

const random = randomStream(3);
const anyHash = (): PerceptualHash => [random.integer(2 ** 32), random.integer(2 ** 32)];

/** A hash with so many of its bits turned. */
function turned([high, low]: PerceptualHash, count: number): PerceptualHash {
  const bits = new Set<number>();
  while (bits.size < count) bits.add(random.integer(64));
  const words = [high, low];
  for (const bit of bits) {
    const word = bit >> 5;
    words[word] = ((words[word] as number) ^ (1 << (bit & 31))) >>> 0;
  }
  return words as unknown as PerceptualHash;
}

describe.each([0, 3, 10])('hashes near each other by %i bits', (bits) => {
  it('are found as comparing every two finds them, the first of several first', () => {
    const hashes: PerceptualHash[] = [];
    for (let item = 0; item < 600; item++) {
      const known = hashes[random.integer(hashes.length + 1)];
      hashes.push(known ? turned(known, random.integer(2 * bits + 2)) : anyHash());
    }
    const expected = hashes.map((hash, item) => {
      const first = hashes.slice(0, item).findIndex((other) => perceptualDistance(hash, other) <= bits);
      return first < 0 ? null : first;
    });
    expect(firstNear(hashes, bits)).toEqual(expected);
    expect(expected.filter((place) => place === null).length).toBeGreaterThan(20);
    expect(expected.filter((place) => place !== null).length).toBeGreaterThan(100);
  });
});
