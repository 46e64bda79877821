import { describe, expect, it } from 'vitest';
import { isSameMass } from '../../src/pasture/partial.ts';
import { requireFrameArea } from '../../src/pasture/units.ts';

describe('the area of a frame', () => {
  it.each([undefined, 0.01, 0.0625, 0.1, 0.21, 0.25, 1, 4])('may be %s', (area) => {
    expect(() => requireFrameArea(area)).not.toThrow();
  });

  it.each([
    [2500, /^area 2500: frames have 0\.01 to 4 m²; if it is in cm², give 0\.25$/],
    [2100, /give 0\.21$/],
    [25, /^area 25: frames have 0\.01 to 4 m², 0\.25 for 50 × 50 cm$/],
    [4.001, /0\.01 to 4 m²/],
    [0.0099, /0\.01 to 4 m²/],
    [0, /0\.01 to 4 m²/],
    [-1, /0\.01 to 4 m²/],
    [Number.NaN, /0\.01 to 4 m²/],
    [Number.POSITIVE_INFINITY, /0\.01 to 4 m²/],
  ])('is not %f', (area, message) => {
    expect(() => requireFrameArea(area)).toThrow(message);
  });
});

describe('the same measurement in two tables', () => {
  it.each([
    [60.4999, 60.5, true],
    [60.44, 60.5, true],
    [60.43, 60.5, false],
    [0.0049, 0, true],
    [0.0063, 0.01, true],
    [0.03, 0, false],
    [0, 0, true],
    [1200, 1201, true],
    [1200, 1202, false],
    [Number.NaN, Number.NaN, true],
    [Number.NaN, 0, false],
    [0, undefined, false],
  ])('%f and %f: %s', (one, other, same) => {
    expect(isSameMass(one, other)).toBe(same);
    expect(isSameMass(other, one)).toBe(same);
  });
});
