/** Degrees east and north, as GeoJSON orders them; what follows (altitude) is not looked at. */
export type Vertex = readonly [longitude: number, latitude: number, ...rest: readonly number[]];

/** A closed line: its last vertex is its first. */
export type Ring = readonly Vertex[];

/** An outer ring and the holes in it. */
export type Rings = readonly Ring[];

/** The same meridian, named as the one within half a turn of `near`: 181 for −179 near 179. */
export function longitudeNear(longitude: number, near: number): number {
  return longitude - 360 * Math.round((longitude - near) / 360);
}

/**
 * A ring without the leap at the antimeridian: each vertex within half a turn of the one before it, the first within
 * half a turn of `near`. No side of a paddock is longer than that.
 */
export function unwrapped(ring: Ring, near: number): [number, number][] {
  let last = near;
  return ring.map(([longitude, latitude]) => {
    last = longitudeNear(longitude, last);
    return [last, latitude];
  });
}

/** The sides of a ring, each from one vertex to the next. */
export function sidesOf<Point>(ring: readonly Point[]): (readonly [Point, Point])[] {
  return ring.slice(1).map((end, index) => [ring[index] as Point, end]);
}

/** Whether a point lies within a ring that does not leap, by how often a line to the east meets it. */
export function isWithin([x, y]: Vertex, ring: Ring): boolean {
  const crossed = sidesOf(ring).filter(
    ([[x1, y1], [x2, y2]]) => y1 > y !== y2 > y && x < x1 + ((y - y1) * (x2 - x1)) / (y2 - y1),
  );
  return crossed.length % 2 === 1;
}
