/** WGS 84: half the longer axis, metres, and the flattening. */
const SEMI_MAJOR_METRES = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const SQUARED_ECCENTRICITY = FLATTENING * (2 - FLATTENING);
const ECCENTRICITY = Math.sqrt(SQUARED_ECCENTRICITY);

export const RADIANS = Math.PI / 180;

/**
 * Area between the equator and a parallel on the ellipsoid, for each radian of longitude, m² (Snyder, Map Projections: A
 * Working Manual, 1987, 3-12).
 */
export function areaToParallel(latitude: number): number {
  const sine = Math.sin(latitude * RADIANS);
  const q = sine / (1 - SQUARED_ECCENTRICITY * sine ** 2) + Math.atanh(ECCENTRICITY * sine) / ECCENTRICITY;
  return (SEMI_MAJOR_METRES ** 2 * (1 - SQUARED_ECCENTRICITY) * q) / 2;
}

/** Metres for each degree of longitude and of latitude at a latitude (Snyder 4-20 and 4-18). */
export function metresPerDegree(latitude: number): { readonly east: number; readonly north: number } {
  const root = Math.sqrt(1 - SQUARED_ECCENTRICITY * Math.sin(latitude * RADIANS) ** 2);
  return {
    east: (SEMI_MAJOR_METRES * Math.cos(latitude * RADIANS) * RADIANS) / root,
    north: (SEMI_MAJOR_METRES * (1 - SQUARED_ECCENTRICITY) * RADIANS) / root ** 3,
  };
}
