import { isWithin, type Ring, type Rings, sidesOf, unwrapped, type Vertex } from './ring.ts';

/** Vertices of all rings together. Every side is compared with every other. */
export const MOST_VERTICES = 2000;

/**
 * What keeps rings from being the boundary of a piece of land, as a sentence with the remedy; null where nothing does.
 * Which way round a ring runs is not asked: RFC 7946 (3.1.6) tells readers to take both.
 *
 * @param polygons outer ring and holes of each part, degrees
 */
export function boundaryProblem(polygons: readonly Rings[]): string | null {
  const rings = polygons.flat();
  const vertices = rings.reduce((sum, { length }) => sum + length, 0);
  if (vertices > MOST_VERTICES) {
    return `has ${vertices} corners; draw it with at most ${MOST_VERTICES}`;
  }
  for (const ring of rings) {
    const problem = ringProblem(ring);
    if (problem) return problem;
  }
  const near = rings[0]?.[0]?.[0] ?? 0;
  return arrangementProblem(polygons.map((part) => part.map((ring) => unwrapped(ring, near))));
}

function ringProblem(ring: Ring): string | null {
  if (ring.length < 4)
    return `has a ring of ${ring.length} positions; a ring has 3 corners and the first again`;
  const [first, last] = [ring[0], ring.at(-1)];
  if (first?.[0] !== last?.[0] || first?.[1] !== last?.[1]) {
    return 'is not closed; give the first position of a ring as its last too';
  }
  const line = unwrapped(ring, ring[0]?.[0] ?? 0);
  if (line[0]?.[0] !== line.at(-1)?.[0]) return 'goes round a pole; draw paddocks between the poles';
  const sides = sidesOf(line);
  const standing = sides.find(([[x1, y1], [x2, y2]]) => x1 === x2 && y1 === y2);
  if (standing) return `has the corner ${placeOf(standing[0])} twice in a row; leave one out`;
  for (const [index, side] of sides.entries()) {
    for (let other = index + 1; other < sides.length; other++) {
      const next = sides[other] as Side;
      const follows = other === index + 1;
      const precedes = index === 0 && other === sides.length - 1;
      const meet = follows ? turnsBack(side, next) : precedes ? turnsBack(next, side) : touch(side, next);
      if (meet) {
        return `crosses or touches itself near ${placeOf(meetingOf(side, next))}; draw the corners in order`;
      }
    }
  }
  return null;
}

function arrangementProblem(parts: readonly (readonly (readonly Point[])[])[]): string | null {
  const rings = parts.flat();
  const outlines = rings.map((ring) => sidesOf(ring));
  for (const [index, sides] of outlines.entries()) {
    const crosses = outlines
      .slice(index + 1)
      .some((others) => sides.some((side) => others.some((other) => cross(side, other))));
    if (crosses) return 'has rings that cross one another; draw each apart from the others';
  }
  for (const [outer = [], ...holes] of parts) {
    if (!holes.every((hole) => lies(hole, outer))) return 'has a hole outside its outer ring; leave it out';
    const nested = holes.some((hole) => holes.some((other) => other !== hole && lies(hole, other)));
    if (nested) return 'has a hole in a hole; leave one out';
  }
  const overlaps = parts.some(([outer = []], at) =>
    parts.some(([other = [], ...holes], index) => {
      return index !== at && lies(outer, other) && !holes.some((hole) => lies(outer, hole));
    }),
  );
  return overlaps ? 'has a part that lies in another; leave one out' : null;
}

type Point = readonly [number, number];
type Side = readonly [Point, Point];

/** Whether a ring that does not cross another lies in it, by the first corner or middle of a side that is not on that. */
function lies(ring: readonly Point[], outer: readonly Point[]): boolean {
  const sides = sidesOf(outer);
  const middles = sidesOf(ring).map(([[x1, y1], [x2, y2]]): Point => [(x1 + x2) / 2, (y1 + y2) / 2]);
  const off = [...ring, ...middles].find((point) => !sides.some((side) => touch(side, [point, point])));
  // Where all are on it, it is the same ring.
  return off === undefined || isWithin(off, outer);
}

/** Twice the area of the triangle; positive where `c` is to the left of the way from `a` to `b`. */
function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** Whether two sides have a point in common that is an end of neither. */
function cross([a, b]: Side, [c, d]: Side): boolean {
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
}

/** Whether two sides have any point in common. */
function touch([a, b]: Side, [c, d]: Side): boolean {
  if (apart(a[0], b[0], c[0], d[0]) || apart(a[1], b[1], c[1], d[1])) return false;
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  return Math.sign(abc) * Math.sign(abd) <= 0 && Math.sign(cda) * Math.sign(cdb) <= 0;
}

/** Where two sides that have a point in common meet; of sides along one line, where the second begins. */
function meetingOf([[ax, ay], [bx, by]]: Side, [[cx, cy], [dx, dy]]: Side): Point {
  const across = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx);
  if (across === 0) return [cx, cy];
  const share = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / across;
  return [ax + share * (bx - ax), ay + share * (by - ay)];
}

/** Whether two ranges have nothing in common. */
function apart(a: number, b: number, c: number, d: number): boolean {
  return Math.max(a, b) < Math.min(c, d) || Math.max(c, d) < Math.min(a, b);
}

/** Whether a side runs back over the one that it follows. */
function turnsBack([a, b]: Side, [, c]: Side): boolean {
  const ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
  return turn(a, b, c) === 0 && ahead < 0;
}

function placeOf([longitude, latitude]: Vertex): string {
  return `${longitude.toFixed(6)}, ${latitude.toFixed(6)}`;
}
