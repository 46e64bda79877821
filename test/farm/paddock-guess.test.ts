import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guessPaddock } from '../../src/farm/index.ts';
import { paddockOf, rectangle } from './records.ts';

// 0.01° of latitude are 1,111 m; of longitude, at 42° south, 827 m.
const west = paddockOf(rectangle(147, -42.01, 147.01, -42), 'West');
const east = paddockOf(rectangle(147.01, -42.01, 147.02, -42), 'East side');
const all = [west, east, { ...west, name: 'Undrawn', boundary: null }];
const at = (longitude: number, latitude: number, accuracyMetres: number | null) => ({
  longitude,
  latitude,
  accuracyMetres,
});

describe('the paddock of a position', () => {
  it('is sure well within one', () => {
    const guess = guessPaddock(at(147.005, -42.005, 8), all);
    expect(guess).toMatchObject({ paddock: west, sure: true });
    expect(guess.candidates[0]?.metresToBoundary).toBeCloseTo(413, -1);
  });

  it('is likely, and asked, near a fence', () => {
    const guess = guessPaddock(at(147.0099, -42.005, 20), all);
    expect(guess).toMatchObject({ paddock: west, sure: false });
    expect(guess.candidates.map(({ paddock }) => paddock.name)).toEqual(['West', 'East side']);
  });

  it('is asked where the accuracy is not known and the fence is near', () => {
    expect(guessPaddock(at(147.0005, -42.005, null), [west])).toMatchObject({ paddock: west, sure: false });
    expect(guessPaddock(at(147.005, -42.005, null), [west])).toMatchObject({ paddock: west, sure: true });
  });

  it('is the one within reach from just outside, never sure, and none from afar', () => {
    expect(guessPaddock(at(146.9999, -42.005, 20), all)).toMatchObject({ paddock: west, sure: false });
    expect(guessPaddock(at(146.9, -42.005, 20), all)).toEqual({ paddock: null, sure: false, candidates: [] });
  });

  it('is nobody’s to say where two overlap', () => {
    const over = paddockOf(rectangle(147.004, -42.01, 147.02, -42), 'Over');
    expect(guessPaddock(at(147.006, -42.005, 5), [west, over])).toMatchObject({ paddock: null, sure: false });
  });

  it('is not that of a hole', () => {
    const holed = {
      ...west,
      boundary: {
        type: 'Polygon' as const,
        coordinates: [rectangle(147, -42.01, 147.01, -42), rectangle(147.002, -42.008, 147.008, -42.002)],
      },
    };
    expect(guessPaddock(at(147.005, -42.005, 5), [holed]).paddock).toBeNull();
  });

  it('is the same across the antimeridian as anywhere else', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.02, max: 0.02, noNaN: true }),
        fc.double({ min: -0.02, max: 0.02, noNaN: true }),
        (dx, dy) => {
          const here = paddockOf(rectangle(9.99, 9.99, 10.01, 10.01));
          const there = paddockOf(
            rectangle(179.99, 9.99, 180.01, 10.01).map(([x, y]) => [x > 180 ? x - 360 : x, y] as const),
          );
          const lon = 180 + dx > 180 ? dx - 180 : 180 + dx;
          const [a, b] = [
            guessPaddock(at(10 + dx, 10 + dy, 30), [here]),
            guessPaddock(at(lon, 10 + dy, 30), [there]),
          ];
          expect(b.candidates.length).toBe(a.candidates.length);
          expect(b.sure).toBe(a.sure);
        },
      ),
    );
  });
});
