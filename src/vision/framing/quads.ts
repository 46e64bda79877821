import {
  areaOf,
  distance,
  orderedCorners,
  type Point,
  type Quadrilateral,
  sideLengths,
} from '../photos/quadrilateral.ts';
import { angleBetween, steadiness, type TracedLine } from './lines.ts';

/** A quadrilateral that lines make, and how steadily colours change along its sides. */
export interface Candidate {
  readonly corners: Quadrilateral;
  readonly score: number;
}

/** What a frame may look like, in shares of the picture and degrees. */
const LEAST_AREA = 0.04;
const LEAST_SIDE = 0.1;
/** How far opposite sides may be from parallel, and neighbouring ones from a line, by perspective. */
const [MOST_CONVERGING, LEAST_CORNER] = [(35 * Math.PI) / 180, (40 * Math.PI) / 180];
/** Corners may lie this far outside, pixels: a line is found as well as this. */
const OUTSIDE = 1;
/** Sides along which colours change less steadily are none. */
const LEAST_STEADINESS = 0.16;
/** Candidates with all corners nearer than this share of the diagonal are of one frame. */
const SAME = 0.02;

/** The best quadrilaterals that four lines make. */
export function candidates(
  lines: readonly TracedLine[],
  { width, height }: { readonly width: number; readonly height: number },
  most: number,
): Candidate[] {
  const size = { width, height };
  const diagonal = Math.hypot(width, height);
  const pairs: (readonly [TracedLine, TracedLine])[] = [];
  lines.forEach((one, index) => {
    for (const other of lines.slice(index + 1)) {
      if (angleBetween(one, other) <= MOST_CONVERGING) pairs.push([one, other]);
    }
  });
  const found: Candidate[] = [];
  pairs.forEach((one, index) => {
    for (const other of pairs.slice(index + 1)) {
      const candidate = candidateOf(one, other, size);
      if (candidate) found.push(candidate);
    }
  });
  found.sort((a, b) => b.score - a.score);
  const kept: Candidate[] = [];
  for (const candidate of found) {
    if (kept.length >= most) break;
    const isKnown = kept.some(({ corners }) =>
      corners.every((corner, index) => distance(corner, candidate.corners[index] as Point) < SAME * diagonal),
    );
    if (!isKnown) kept.push(candidate);
  }
  return kept;
}

type Pair = readonly [TracedLine, TracedLine];

function candidateOf(
  [a, c]: Pair,
  [b, d]: Pair,
  { width, height }: { readonly width: number; readonly height: number },
): Candidate | null {
  for (const one of [a, c]) {
    for (const other of [b, d]) if (angleBetween(one, other) < LEAST_CORNER) return null;
  }
  // Around: a meets b, b meets c, c meets d, d meets a.
  const points = [crossing(a, b), crossing(b, c), crossing(c, d), crossing(d, a)];
  for (const { x, y } of points) {
    if (x < -OUTSIDE || y < -OUTSIDE || x > width + OUTSIDE || y > height + OUTSIDE) return null;
  }
  const [ab, bc, cd, da] = points as [Point, Point, Point, Point];
  const corners = orderedCorners(points);
  if (!corners || areaOf(corners) < LEAST_AREA * width * height) return null;
  if (Math.min(...sideLengths(corners)) < LEAST_SIDE * Math.min(width, height)) return null;
  let [sum, least] = [0, Infinity];
  for (const [line, from, to] of [
    [a, da, ab],
    [b, ab, bc],
    [c, bc, cd],
    [d, cd, da],
  ] as const) {
    const side = steadiness(line, placeOn(line, from), placeOn(line, to));
    if (side < LEAST_STEADINESS) return null;
    sum += side;
    least = Math.min(least, side);
  }
  return { corners, score: sum / 4 + least };
}

function crossing(one: TracedLine, other: TracedLine): Point {
  const whole = one.cosine * other.sine - one.sine * other.cosine;
  return {
    x: (one.offset * other.sine - other.offset * one.sine) / whole,
    y: (other.offset * one.cosine - one.offset * other.cosine) / whole,
  };
}

/** Where a point of a line is, from the foot of its normal. */
const placeOn = ({ cosine, sine }: TracedLine, { x, y }: Point): number => y * cosine - x * sine;
