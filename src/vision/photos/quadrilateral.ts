/** A place in a picture, pixels from its top left; the first pixel's centre is at ½, ½. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Corners of a convex quadrilateral, clockwise from the one that is nearest to top left. */
export type Quadrilateral = readonly [Point, Point, Point, Point];

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Four corners in the order of a quadrilateral, in whatever order they come: the first is the one from which its sides lie
 * nearest to the picture's, so that what is cut out is not turned.
 *
 * @returns null where they are no corners of a convex quadrilateral
 */
export function orderedCorners(corners: readonly Point[]): Quadrilateral | null {
  const centre = meanOf(corners);
  const around = [...corners].sort((a, b) => bearing(centre, a) - bearing(centre, b));
  // From a first corner the first side leads to the right.
  const lean = around.map((corner, index) =>
    Math.abs(bearing(corner, around[(index + 1) % around.length] as Point)),
  );
  const first = lean.indexOf(Math.min(...lean));
  const [a, b, c, d] = around.map((_, index) => around[(first + index) % around.length] as Point);
  if (!a || !b || !c || !d) return null;
  return isConvex([a, b, c, d]) ? [a, b, c, d] : null;
}

const meanOf = (points: readonly Point[]): Point => ({
  x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
  y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
});

/** Clockwise from the right, as y points down. */
const bearing = (from: Point, to: Point): number => Math.atan2(to.y - from.y, to.x - from.x);

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** Twice the area of the triangle of three points, positive where they turn clockwise. */
const turnOf = (a: Point, b: Point, c: Point): number =>
  (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);

function isConvex([a, b, c, d]: Quadrilateral): boolean {
  return turnOf(a, b, c) > 0 && turnOf(b, c, d) > 0 && turnOf(c, d, a) > 0 && turnOf(d, a, b) > 0;
}

/** Lengths of the four sides, from the upper one clockwise. */
export function sideLengths([a, b, c, d]: Quadrilateral): [number, number, number, number] {
  return [distance(a, b), distance(b, c), distance(c, d), distance(d, a)];
}

/** Its area, square pixels. */
export function areaOf([a, b, c, d]: Quadrilateral): number {
  return (turnOf(a, b, c) + turnOf(a, c, d)) / 2;
}

/** Where a point of the unit square lies in a quadrilateral seen in perspective. */
export type Projection = readonly [number, number, number, number, number, number, number, number];

/**
 * The projective map from the unit square to a quadrilateral (Heckbert 1989, section 2.2.3): (u, v) comes to
 * x = (p₀u + p₁v + p₂) / w, y = (p₃u + p₄v + p₅) / w with w = p₆u + p₇v + 1.
 */
export function projectionOnto([a, b, c, d]: Quadrilateral): Projection {
  const [dx1, dx2, sx] = [b.x - c.x, d.x - c.x, a.x - b.x + c.x - d.x];
  const [dy1, dy2, sy] = [b.y - c.y, d.y - c.y, a.y - b.y + c.y - d.y];
  const whole = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / whole;
  const h = (dx1 * sy - sx * dy1) / whole;
  return [b.x - a.x + g * b.x, d.x - a.x + h * d.x, a.x, b.y - a.y + g * b.y, d.y - a.y + h * d.y, a.y, g, h];
}

/** Focal lengths of cameras, as shares of the picture's diagonal: a phone's usual one, and what is believed of a guess. */
const FOCAL = { usual: 0.62, least: 0.45, most: 1.3 } as const;

/**
 * Width by height of the rectangle that a camera saw as a quadrilateral, the middle of the picture its optical axis (Zhang
 * and He 2007, Whiteboard scanning and image enhancement, section 4). Where perspective is too weak to tell the focal
 * length, which then matters little, it is a phone's.
 */
export function rectangleAspect([a, b, c, d]: Quadrilateral, picture: Size): number {
  const diagonal = Math.hypot(picture.width, picture.height);
  const seen = ({ x, y }: Point): Vector => [
    (x - picture.width / 2) / diagonal,
    (y - picture.height / 2) / diagonal,
    1,
  ];
  const [m1, m2, m3, m4] = [seen(a), seen(b), seen(d), seen(c)];
  const far = cross(m1, m4);
  const k2 = dot(far, m3) / dot(cross(m2, m4), m3);
  const k3 = dot(far, m2) / dot(cross(m3, m4), m2);
  const across = m2.map((value, axis) => k2 * value - (m1[axis] as number)) as unknown as Vector;
  const down = m3.map((value, axis) => k3 * value - (m1[axis] as number)) as unknown as Vector;
  const focalSquared = -(across[0] * down[0] + across[1] * down[1]) / (across[2] * down[2]);
  const isBelieved = focalSquared >= FOCAL.least ** 2 && focalSquared <= FOCAL.most ** 2;
  const focal = isBelieved ? Math.sqrt(focalSquared) : FOCAL.usual;
  const length = (v: Vector): number => Math.hypot(v[0] / focal, v[1] / focal, v[2]);
  return length(across) / length(down);
}

type Vector = readonly [number, number, number];

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The picture of a rectangle seen in perspective: in its own proportions, its longer side as long as it is seen. */
export function rectifiedSize(corners: Quadrilateral, picture: Size): Size {
  const aspect = rectangleAspect(corners, picture);
  const [top, right, bottom, left] = sideLengths(corners);
  if (aspect >= 1) {
    const width = Math.max(1, Math.round(Math.max(top, bottom)));
    return { width, height: Math.max(1, Math.round(Math.max(top, bottom) / aspect)) };
  }
  const height = Math.max(1, Math.round(Math.max(left, right)));
  return { width: Math.max(1, Math.round(Math.max(left, right) * aspect)), height };
}
