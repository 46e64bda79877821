import { z } from 'zod';
import { boundaryProblem } from './boundary-problem.ts';
import { Latitude, Longitude } from './position.ts';
import type { Rings } from './ring.ts';

/** An altitude may follow and nothing else (RFC 7946, 3.1.1). */
const Place = z
  .tuple([Longitude, Latitude], z.number())
  .refine(({ length }) => length <= 3, 'a position is longitude, latitude and at most an altitude');
const LinearRing = z.array(Place);
const PolygonRings = z.array(LinearRing).min(1).describe('outer ring, then holes; degrees east, then north');

/**
 * Where a paddock lies, as GeoJSON (RFC 7946): closed rings that do not cross. A paddock across the antimeridian may be
 * one polygon or two.
 */
export const Boundary = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Polygon'), coordinates: PolygonRings }),
    z.strictObject({ type: z.literal('MultiPolygon'), coordinates: z.array(PolygonRings).min(1) }),
  ])
  .superRefine((boundary, context) => {
    const problem = boundaryProblem(partsOf(boundary));
    if (problem)
      context.addIssue({ code: 'custom', message: `the boundary ${problem}`, path: ['coordinates'] });
  });
export type Boundary = z.output<typeof Boundary>;

/** The parts of a boundary, each an outer ring and its holes. */
export function partsOf(boundary: Boundary): readonly Rings[] {
  return boundary.type === 'Polygon' ? [boundary.coordinates] : boundary.coordinates;
}
