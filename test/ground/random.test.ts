import { describe, expect, it } from 'vitest';
import { drawBeta, randomStream } from '../../src/ground/random.ts';

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

describe('draws from a Beta distribution', () => {
  it('have its mean and variance, for peaked and for U-shaped ones', () => {
    for (const [a, b] of [
      [0.4, 0.4],
      [1, 1],
      [2, 5],
    ] as const) {
      const stream = randomStream(11);
      const values = Array.from({ length: 20_000 }, () => drawBeta(stream, a, b));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(a / (a + b), 1.7);
      expect(variance).toBeCloseTo((a * b) / ((a + b) ** 2 * (a + b + 1)), 2);
    }
  });

  it('stay numbers for tiny parameters, and refuse parameters that are not positive', () => {
    const stream = randomStream(12);
    for (let i = 0; i < 1000; i++) {
      const value = drawBeta(stream, 0.001, 0.001);
      expect(value >= 0 && value <= 1).toBe(true);
    }
    expect(() => drawBeta(stream, 0, 1)).toThrow(RangeError);
  });
});
