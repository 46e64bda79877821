import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryProblem } from '../../src/farm/boundary-problem.ts';
import { boundaryHectares, hectaresWarning, paddockHectares } from '../../src/farm/index.ts';
import { paddockOf, rectangle } from './records.ts';

type Corner = readonly [number, number];
const polygon = (...rings: readonly (readonly Corner[])[]) => ({
  type: 'Polygon' as const,
  coordinates: rings.map((ring) => ring.map(([x, y]): [number, number] => [x, y])),
});

/** WGS 84, its defining constants. */
const AXIS = 6378137;
const SQUARED = (2 - 1 / 298.257223563) / 298.257223563;

/** Area in the plane that touches the ellipsoid amid the corners: another way, good to millionths within 2 km. */
function planeHectares(corners: readonly Corner[]): number {
  const space = corners.map(([lon, lat]) => {
    const [l, p] = [(lon * Math.PI) / 180, (lat * Math.PI) / 180];
    const n = AXIS / Math.sqrt(1 - SQUARED * Math.sin(p) ** 2);
    return [
      n * Math.cos(p) * Math.cos(l),
      n * Math.cos(p) * Math.sin(l),
      n * (1 - SQUARED) * Math.sin(p),
    ] as const;
  });
  const [lon, lat] = [0, 1].map(
    (axis) =>
      (corners.reduce((sum, corner) => sum + (corner[axis] as number), 0) / corners.length) * (Math.PI / 180),
  ) as [number, number];
  const flat = space.map(([x, y, z]) => [
    -Math.sin(lon) * x + Math.cos(lon) * y,
    -Math.sin(lat) * Math.cos(lon) * x - Math.sin(lat) * Math.sin(lon) * y + Math.cos(lat) * z,
  ]) as [number, number][];
  const twice = flat.slice(1).map(([x, y], at) => {
    const [x0, y0] = flat[at] as [number, number];
    return x0 * y - x * y0;
  });
  return Math.abs(twice.reduce((sum, part) => sum + part, 0)) / 2 / 10_000;
}

const place = fc.record({
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
  lat: fc.double({ min: -60, max: 60, noNaN: true }),
});

/** Corners around a point, in order of their bearing, up to about 1 km away. */
const paddocks = fc
  .record({
    centre: place,
    radii: fc.array(fc.double({ min: 0.001, max: 0.009, noNaN: true }), { minLength: 3, maxLength: 12 }),
  })
  .map(({ centre: { lon, lat }, radii }): Corner[] => {
    const corners = radii.map((radius, at): Corner => {
      const bearing = (2 * Math.PI * at) / radii.length;
      return [lon + radius * Math.cos(bearing), lat + radius * Math.sin(bearing)];
    });
    return [...corners, corners[0] as Corner];
  });

describe('the area within a boundary', () => {
  it('is that of the plane touching the ellipsoid, for paddocks', () => {
    fc.assert(
      fc.property(paddocks, (ring) => {
        const hectares = boundaryHectares(polygon(ring));
        // What sides differ from geodesics by: twice L³ tan φ / 12 R each, at 60°.
        const sides = ring.slice(1).map(([x, y], at) => {
          const [x0, y0] = ring[at] as Corner;
          return 111_320 * Math.hypot((x - x0) * Math.cos((y * Math.PI) / 180), y - y0);
        });
        const metres = sides.reduce(
          (sum, side) => sum + (2 * side ** 3 * Math.tan(Math.PI / 3)) / (12 * 6.37e6),
          0,
        );
        expect(Math.abs(hectares - planeHectares(ring))).toBeLessThan(metres / 10_000 + 1e-6 * hectares);
      }),
    );
  });

  it('is exact between meridians and parallels: a degree at the equator is 1,230,877.84 ha', () => {
    // a² / 2 · Δλ · q, integrated by hand from the radius of the parallel and that of the meridian.
    const strips = 100_000;
    let square = 0;
    for (let strip = 0; strip < strips; strip++) {
      const p = ((strip + 0.5) / strips / 180) * Math.PI;
      const root = 1 - SQUARED * Math.sin(p) ** 2;
      square += (AXIS / Math.sqrt(root)) * Math.cos(p) * ((AXIS * (1 - SQUARED)) / root ** 1.5);
    }
    const degree = Math.PI / 180;
    const expected = (square / strips) * degree * degree;
    expect(boundaryHectares(polygon(rectangle(10, 0, 11, 1)))).toBeCloseTo(expected / 10_000, 3);
  });

  it('adds up: two halves of a paddock are the paddock', () => {
    fc.assert(
      fc.property(paddocks, fc.nat(), (ring, pick) => {
        const corners = ring.slice(0, -1);
        fc.pre(corners.length > 3);
        const cut = 2 + (pick % (corners.length - 3));
        const first = [...corners.slice(0, cut + 1), corners[0] as Corner];
        const second = [corners[0] as Corner, ...corners.slice(cut), corners[0] as Corner];
        const signed = boundaryHectares(polygon(first)) + boundaryHectares(polygon(second));
        const whole = boundaryHectares(polygon(ring));
        // A diagonal outside the paddock makes one half overlap: then the parts differ by the whole.
        const apart = Math.abs(boundaryHectares(polygon(first)) - boundaryHectares(polygon(second)));
        expect(Math.min(Math.abs(signed - whole), Math.abs(apart - whole)) / whole).toBeLessThan(1e-9);
      }),
    );
  });

  it('does not depend on which way round a ring runs, where it begins, or on the antimeridian', () => {
    fc.assert(
      fc.property(paddocks, (ring) => {
        const hectares = boundaryHectares(polygon(ring));
        expect(boundaryHectares(polygon([...ring].reverse()))).toBeCloseTo(hectares, 6);
        const moved = [...ring.slice(1), ring[1] as Corner];
        expect(boundaryHectares(polygon(moved))).toBeCloseTo(hectares, 6);
        const [[lon]] = ring as [Corner];
        const across = ring.map(([x, y]): Corner => {
          const turned = x - lon + 180;
          return [turned > 180 ? turned - 360 : turned, y];
        });
        expect(boundaryHectares(polygon(across))).toBeCloseTo(hectares, 6);
        expect(boundaryProblem([[across]])).toBeNull();
      }),
    );
  });

  it('takes holes off and adds parts', () => {
    const [outer, hole] = [
      rectangle(147, -42.01, 147.01, -42),
      rectangle(147.002, -42.004, 147.004, -42.002),
    ];
    const whole = boundaryHectares(polygon(outer));
    const inner = boundaryHectares(polygon(hole));
    expect(boundaryHectares(polygon(outer, hole))).toBeCloseTo(whole - inner, 9);
    const parts = {
      type: 'MultiPolygon' as const,
      coordinates: [polygon(outer).coordinates, polygon(rectangle(148, -42.01, 148.01, -42)).coordinates],
    };
    expect(boundaryHectares(parts)).toBeCloseTo(2 * whole, 6);
  });
});

describe('hectares of a paddock', () => {
  const drawn = paddockOf(rectangle(147, -42.01, 147.01, -42));

  it('are those given before those drawn, and say which', () => {
    expect(paddockHectares(drawn)).toMatchObject({ source: 'measured', from: ['boundary of Hill as drawn'] });
    expect(paddockHectares({ ...drawn, hectares: 90 })).toMatchObject({
      value: 90,
      from: ['hectares of Hill as given'],
    });
    expect(paddockHectares({ ...drawn, boundary: null })).toBeNull();
  });

  it('are doubted where they are far from the boundary', () => {
    expect(hectaresWarning({ ...drawn, hectares: 90 })).toBeNull();
    expect(hectaresWarning({ ...drawn, hectares: 9 })).toMatch(
      /given as 9 ha, and its boundary holds 9\d\.\d\d ha/,
    );
  });
});

describe('what keeps rings from being a boundary', () => {
  const outer = rectangle(0, 0, 10, 10);
  it.each([
    ['an open ring', [[outer.slice(0, -1)]], /not closed/],
    [
      'two corners',
      [
        [
          [
            [0, 0],
            [1, 1],
            [0, 0],
          ],
        ],
      ],
      /ring of 3 positions/,
    ],
    [
      'a bow',
      [
        [
          [
            [0, 0],
            [2, 2],
            [2, 0],
            [0, 2],
            [0, 0],
          ],
        ],
      ],
      /crosses or touches itself near 1.000000, 1.000000/,
    ],
    [
      'a corner on another side',
      [
        [
          [
            [0, 0],
            [4, 0],
            [4, 4],
            [2, 0],
            [0, 4],
            [0, 0],
          ],
        ],
      ],
      /crosses or touches itself near 2.000000, 0.000000/,
    ],
    [
      'a spike',
      [
        [
          [
            [0, 0],
            [4, 0],
            [2, 0],
            [2, 3],
            [0, 0],
          ],
        ],
      ],
      /crosses or touches itself/,
    ],
    [
      'a corner twice',
      [
        [
          [
            [0, 0],
            [4, 0],
            [4, 0],
            [2, 3],
            [0, 0],
          ],
        ],
      ],
      /twice in a row/,
    ],
    [
      'a ring round the pole',
      [
        [
          [
            [0, 80],
            [120, 80],
            [-120, 80],
            [0, 80],
          ],
        ],
      ],
      /round a pole/,
    ],
    ['a hole outside', [[outer, rectangle(20, 20, 21, 21)]], /hole outside/],
    ['a hole across the edge', [[outer, rectangle(9, 4, 11, 6)]], /cross one another/],
    ['a hole in a hole', [[outer, rectangle(2, 2, 8, 8), rectangle(4, 4, 5, 5)]], /hole in a hole/],
    ['a part in another', [[outer], [rectangle(2, 2, 3, 3)]], /lies in another/],
    ['the same part twice', [[outer], [outer]], /lies in another/],
  ] as [string, Corner[][][], RegExp][])('is said: %s', (_, parts, message) => {
    expect(boundaryProblem(parts)).toMatch(message);
  });

  it('is that a hole lies in a notch of its outer ring, with all corners on that', () => {
    const notched: Corner[] = [
      [0, 0],
      [10, 0],
      [10, 10],
      [8, 10],
      [5, 4],
      [2, 10],
      [0, 10],
      [0, 0],
    ];
    expect(
      boundaryProblem([
        [
          notched,
          [
            [8, 10],
            [5, 4],
            [2, 10],
            [8, 10],
          ],
        ],
      ]),
    ).toMatch(/hole outside/);
  });

  it('is nothing of a paddock in a hole of another part, or of parts that share the antimeridian', () => {
    expect(boundaryProblem([[outer, rectangle(2, 2, 8, 8)], [rectangle(3, 3, 4, 4)]])).toBeNull();
    const diamond: Corner[] = [
      [5, 0],
      [10, 5],
      [5, 10],
      [0, 5],
      [5, 0],
    ];
    expect(boundaryProblem([[outer, diamond]])).toBeNull();
    expect(boundaryProblem([[rectangle(179, 0, 180, 1)], [rectangle(-180, 0, -179, 1)]])).toBeNull();
  });

  it('is that there are too many corners to compare', () => {
    const round = Array.from({ length: 2100 }, (_, at): Corner => {
      const angle = (2 * Math.PI * at) / 2100;
      return [Math.cos(angle), Math.sin(angle)];
    });
    expect(boundaryProblem([[[...round, round[0] as Corner]]])).toMatch(
      /2101 corners; draw it with at most 2000/,
    );
  });
});
