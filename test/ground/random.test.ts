import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';

const draws = (seed: number, count = 5): number[] => {
  const stream = randomStream(seed);
  return Array.from({ length: count }, () => stream.uniform());
};

describe('random streams', () => {
  it('repeat themselves for a seed and differ between seeds', () => {
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
    for (const value of draws(3, 1000)) expect(value >= 0 && value < 1).toBe(true);
  });

  it('fork by name, whatever was drawn before', () => {
    const used = randomStream(1);
    used.uniform();
    expect(used.fork('a').uniform()).toBe(randomStream(1).fork('a').uniform());
    expect(used.fork('a').uniform()).not.toBe(used.fork('b').uniform());
    expect(randomStream(1).fork('a').uniform()).not.toBe(randomStream(2).fork('a').uniform());
  });

  it('are uniform and normal as they say', () => {
    const stream = randomStream(5);
    const normals = Array.from({ length: 20_000 }, () => stream.normal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length;
    const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) {
      const side = stream.integer(6);
      counts[side] = (counts[side] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });

  it('begin anywhere, also for small neighbouring seeds', () => {
    const firsts = Array.from({ length: 400 }, (_, index) => randomStream(index - 200).uniform());
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.06);
    expect(firsts.filter((value) => value < 0.01 || value > 0.99).length).toBeLessThan(20);
    expect(new Set(firsts).size).toBe(400);
  });

  it('shuffle without losing anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = randomStream(9).shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
