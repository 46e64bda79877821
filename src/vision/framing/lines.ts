import { type Picture, valuesAt } from './picture.ts';

/** A straight line: the places with x cos(angle) + y sin(angle) = offset. */
export interface Line {
  /** Of its normal, in [0, π). */
  readonly angle: number;
  /** Pixels from the picture's top left. */
  readonly offset: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Directions that are told apart. */
const ANGLES = 180;
/** How far an edge's direction may be from its line's, in steps of angle. */
const TOLERANCE = 4;
/** Lines nearer than this in both are one. */
const NEAREST = { angle: (4 * Math.PI) / 180, offset: 2 } as const;
/** Edges weaker than this are none, stronger ones than that count alike, in units of usual change. */
const [LEAST_EDGE, FULL_EDGE] = [0.6, 3] as const;

const cosines = Float64Array.from({ length: ANGLES }, (_, angle) => Math.cos((angle * Math.PI) / ANGLES));
const sines = Float64Array.from({ length: ANGLES }, (_, angle) => Math.sin((angle * Math.PI) / ANGLES));

/**
 * The lines that most edges lie on and along, beyond what is usual for their direction and length (a Hough transform whose
 * votes go by the direction of the edge). The strongest first.
 */
export function strongestLines(picture: Picture, most: number): Line[] {
  const { width, height } = picture;
  const reach = Math.ceil(Math.hypot(width, height));
  // Offsets are negative where the normal points to the left.
  const offsets = 2 * reach + 1;
  const votes = votesOf(picture, reach, offsets);
  const scores = standardised(votes, width, height, reach, offsets);
  return peaks(scores, reach, offsets, picture, most);
}

/** Votes of the pixels, `[angle, offset]`. */
function votesOf({ width, height, channels }: Picture, reach: number, offsets: number): Float32Array {
  const votes = new Float32Array(ANGLES * offsets);
  for (let y = 1; y < height - 1; y++) {
    // Every other pixel, as on a chessboard, tells as much.
    for (let x = 1 + (y % 2); x < width - 1; x += 2) {
      const at = y * width + x;
      let [xx, xy, yy] = [0, 0, 0];
      for (let channel = 0; channel < 3; channel++) {
        const values = channels[channel] as Float32Array;
        const dx = (values[at + 1] as number) - (values[at - 1] as number);
        const dy = (values[at + width] as number) - (values[at - width] as number);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
      }
      // The direction in which the colour changes most (Di Zenzo 1986).
      const strength = Math.sqrt((xx + yy + Math.hypot(xx - yy, 2 * xy)) / 2);
      if (strength < LEAST_EDGE) continue;
      const direction = Math.atan2(2 * xy, xx - yy) / 2;
      const vote = Math.min(1, strength / FULL_EDGE);
      const middle = Math.round((direction * ANGLES) / Math.PI);
      for (let step = -TOLERANCE; step <= TOLERANCE; step++) {
        const angle = (middle + step + 2 * ANGLES) % ANGLES;
        const offset = (x + 0.5) * (cosines[angle] as number) + (y + 0.5) * (sines[angle] as number);
        const cell = angle * offsets + Math.round(offset) + reach;
        votes[cell] = (votes[cell] as number) + vote;
      }
    }
  }
  return votes;
}

/** How far votes are above what is usual for their direction, in deviations of a line so long. */
function standardised(
  votes: Float32Array,
  width: number,
  height: number,
  reach: number,
  offsets: number,
): Float32Array {
  const scores = new Float32Array(votes.length);
  const least = 0.12 * Math.min(width, height);
  for (let angle = 0; angle < ANGLES; angle++) {
    const [c, s] = [cosines[angle] as number, sines[angle] as number];
    const first = angle * offsets;
    let total = 0;
    for (let offset = 0; offset < offsets; offset++) total += votes[first + offset] as number;
    const usual = total / (width * height);
    for (let offset = 0; offset < offsets; offset++) {
      const length = chord(c, s, offset - reach, width, height);
      if (length < least) continue;
      scores[first + offset] = ((votes[first + offset] as number) - usual * length) / Math.sqrt(length);
    }
  }
  return scores;
}

/** Length of a line inside the picture, pixels. */
function chord(c: number, s: number, offset: number, width: number, height: number): number {
  const [from, to] = spanOf(c, s, offset, width, height);
  return Math.max(0, to - from);
}

/** Where a line is inside the picture, by its distance from the foot of the normal. */
function spanOf(c: number, s: number, offset: number, width: number, height: number): [number, number] {
  // Places are (offset·c − t·s, offset·s + t·c).
  let from = -Infinity;
  let to = Infinity;
  for (let axis = 0; axis < 2; axis++) {
    const start = offset * (axis === 0 ? c : s);
    const slope = axis === 0 ? -s : c;
    const end = axis === 0 ? width : height;
    if (Math.abs(slope) < 1e-9) {
      if (start < 0 || start > end) return [0, 0];
      continue;
    }
    const one = -start / slope;
    const other = (end - start) / slope;
    from = Math.max(from, Math.min(one, other));
    to = Math.min(to, Math.max(one, other));
  }
  return [from, to];
}

function peaks(scores: Float32Array, reach: number, offsets: number, size: Size, most: number): Line[] {
  const found: { angle: number; offset: number; score: number }[] = [];
  for (let angle = 0; angle < ANGLES; angle++) {
    for (let offset = 1; offset < offsets - 1; offset++) {
      const at = angle * offsets + offset;
      const score = scores[at] as number;
      if (score <= 0 || score < (scores[at - 1] as number) || score < (scores[at + 1] as number)) continue;
      found.push({ angle, offset, score });
    }
  }
  found.sort((a, b) => b.score - a.score);
  const kept: Line[] = [];
  for (const { angle, offset } of found) {
    if (kept.length >= most) break;
    const line = { angle: (angle * Math.PI) / ANGLES, offset: offset - reach };
    if (!kept.some((other) => areOne(line, other, size))) kept.push(line);
  }
  return kept;
}

/** Angle between two lines, 0 to π/2. */
export function angleBetween(one: Line, other: Line): number {
  const apart = Math.abs(one.angle - other.angle) % Math.PI;
  return Math.min(apart, Math.PI - apart);
}

/** Whether two lines may be of one edge: nearly parallel, and in the picture they meet or nearly do. */
function areOne(one: Line, other: Line, { width, height }: Size): boolean {
  if (angleBetween(one, other) > NEAREST.angle) return false;
  const [c, s] = [Math.cos(one.angle), Math.sin(one.angle)];
  const [oc, os] = [Math.cos(other.angle), Math.sin(other.angle)];
  const [first, last] = spanOf(c, s, one.offset, width, height).map(
    (t) => (one.offset * c - t * s) * oc + (one.offset * s + t * c) * os - other.offset,
  ) as [number, number];
  return first * last <= 0 || Math.min(Math.abs(first), Math.abs(last)) < NEAREST.offset;
}

/** A line with the change of colour across it, place by place. */
export interface TracedLine extends Line {
  readonly cosine: number;
  readonly sine: number;
  /** Where the trace starts, from the foot of the normal; a place a pixel. */
  readonly start: number;
  /** Sums of the changes before each place, `[places + 1, 3]`. */
  readonly sums: Float64Array;
  readonly places: number;
}

/** How far to both sides of a line the colours are compared, pixels. */
const ASIDE = 1.6;
/** Changes larger than this count alike. */
const FULL_CHANGE = 2;

/** Follows a line through the picture. */
export function traced(picture: Picture, { angle, offset }: Line): TracedLine {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const [from, to] = spanOf(cosine, sine, offset, picture.width, picture.height);
  const places = Math.max(0, Math.floor(to - from));
  const sums = new Float64Array(3 * (places + 1));
  const [one, other] = [new Float64Array(3), new Float64Array(3)];
  for (let place = 0; place < places; place++) {
    const t = from + place + 0.5;
    const [x, y] = [offset * cosine - t * sine, offset * sine + t * cosine];
    valuesAt(picture, x + ASIDE * cosine, y + ASIDE * sine, one);
    valuesAt(picture, x - ASIDE * cosine, y - ASIDE * sine, other);
    for (let channel = 0; channel < 3; channel++) {
      const change = (one[channel] as number) - (other[channel] as number);
      sums[3 * (place + 1) + channel] =
        (sums[3 * place + channel] as number) + Math.max(-FULL_CHANGE, Math.min(FULL_CHANGE, change));
    }
  }
  return { angle, offset, cosine, sine, start: from, sums, places };
}

/** Parts of a side that are looked at one by one. */
const PARTS = 4;
const means = new Float64Array(3 * (PARTS + 1));

/**
 * How steadily the colour changes the same way across a line between two of its places, in units of what is usual between
 * any two: the mean over all but the weakest quarter of it.
 */
export function steadiness(line: TracedLine, one: number, other: number): number {
  const { sums, start, places } = line;
  const from = Math.max(0, Math.round(Math.min(one, other) - start));
  const to = Math.min(places, Math.round(Math.max(one, other) - start));
  const wanted = Math.abs(one - other);
  if (to - from < 2 * PARTS || to - from < 0.9 * wanted) return 0;
  for (let part = 0; part <= PARTS; part++) {
    // The last is the mean of all.
    const [a, b] =
      part === PARTS
        ? [from, to]
        : [
            from + Math.floor(((to - from) * part) / PARTS),
            from + Math.floor(((to - from) * (part + 1)) / PARTS),
          ];
    for (let channel = 0; channel < 3; channel++) {
      means[3 * part + channel] =
        ((sums[3 * b + channel] as number) - (sums[3 * a + channel] as number)) / (b - a);
    }
  }
  const [p, q, r] = [
    means[3 * PARTS] as number,
    means[3 * PARTS + 1] as number,
    means[3 * PARTS + 2] as number,
  ];
  const length = Math.hypot(p, q, r);
  if (length < 1e-6) return 0;
  let [sum, least] = [0, Infinity];
  for (let part = 0; part < PARTS; part++) {
    const along =
      ((means[3 * part] as number) * p +
        (means[3 * part + 1] as number) * q +
        (means[3 * part + 2] as number) * r) /
      length;
    sum += along;
    least = Math.min(least, along);
  }
  return (sum - least) / (PARTS - 1);
}
