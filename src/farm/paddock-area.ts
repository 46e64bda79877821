import { type Boundary, partsOf } from './boundary.ts';
import { areaToParallel, RADIANS } from './ellipsoid.ts';
import type { Paddock } from './paddock.ts';
import type { Figure } from './provenance.ts';
import { type Ring, sidesOf, unwrapped } from './ring.ts';

const SQUARE_METRES_PER_HECTARE = 10_000;

/**
 * Area within a boundary on the WGS 84 ellipsoid, hectares: holes are taken off, and it does not matter which way round
 * rings run. Sides are straight in the cylindrical equal-area projection, in which the area is exact; up to latitude 60° a
 * side of 1 km differs from the geodesic by less than 0.005 % of a square of that side, one of 10 km by less than 0.05 %,
 * and opposite sides nearly cancel. Where the corners lie matters more: one that is 3 m off changes a square hectare by up
 * to 2 %.
 */
export function boundaryHectares(boundary: Boundary): number {
  const parts = partsOf(boundary).map((rings) =>
    rings.reduce((sum, ring, index) => sum + (index === 0 ? 1 : -1) * ringArea(ring), 0),
  );
  return parts.reduce((sum, part) => sum + part, 0) / SQUARE_METRES_PER_HECTARE;
}

/** Square metres. */
function ringArea(ring: Ring): number {
  const line = unwrapped(ring, ring[0]?.[0] ?? 0);
  // From the first corner's parallel, which takes nothing from the sum and keeps digits.
  const base = areaToParallel(line[0]?.[1] ?? 0);
  const strips = sidesOf(line).map(
    ([[x1, y1], [x2, y2]]) => (x2 - x1) * RADIANS * ((areaToParallel(y1) + areaToParallel(y2)) / 2 - base),
  );
  return Math.abs(strips.reduce((sum, strip) => sum + strip, 0));
}

/** The size of a paddock: as its owner gives it, or else of its boundary; null where neither is known. */
export function paddockHectares({ name, hectares, boundary }: Paddock): Figure | null {
  if (hectares !== null) {
    return { value: hectares, unit: 'ha', source: 'measured', from: [`hectares of ${name} as given`] };
  }
  if (boundary === null) return null;
  const from = [`boundary of ${name} as drawn`];
  return { value: boundaryHectares(boundary), unit: 'ha', source: 'measured', from };
}

/** Hectares that were given may differ from the boundary's by this share before it is said. */
const TOLERATED = 0.1;

/** What is odd about a paddock's size, as a sentence; null where nothing is. */
export function hectaresWarning({ name, hectares, boundary }: Paddock): string | null {
  if (hectares === null || boundary === null) return null;
  const drawn = boundaryHectares(boundary);
  if (Math.abs(drawn - hectares) <= TOLERATED * hectares) return null;
  return `${name} is given as ${hectares} ha, and its boundary holds ${drawn.toFixed(2)} ha. Check which is right.`;
}
