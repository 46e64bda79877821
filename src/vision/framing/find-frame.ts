import { mean, quantileSorted } from '../../ground/statistics.ts';
import type { Pixels } from '../photos/pixels.ts';
import { orderedCorners, type Point, type Quadrilateral, sideLengths } from '../photos/quadrilateral.ts';
import { strongestLines, traced } from './lines.ts';
import { type Picture, pictureOf } from './picture.ts';
import { candidates } from './quads.ts';
import {
  type Band,
  type Colour,
  meanColour,
  type Profile,
  profileOf,
  type Sides,
  sideOf,
  sidesOf,
  WIDEST,
} from './sides.ts';

/** Pixels of the picture that a frame is looked for in; a larger one is shrunk before. */
export const LOOKED_AT = 320_000;

/** Lines that are put together, quadrilaterals of them that are looked at, and those whose sides are fitted. */
const [MOST_LINES, MOST_CANDIDATES, MOST_FITTED] = [36, 14, 4] as const;

/** How often the sides of the best are fitted again. */
const FURTHER_FITS = 2;

/** What may be a frame. */
interface SeenFrame {
  /** Where its inside ends, in the picture it was looked for in. */
  readonly corners: Quadrilateral;
  /** How unlike what is beside them its sides are, the least of them, in units of usual change. */
  readonly contrast: number;
  /** Share of its length in which a side is seen, the least and the mean. */
  readonly leastSeen: number;
  readonly meanSeen: number;
  /** How clear, even and alike its sides are. */
  readonly score: number;
}

/**
 * What a frame has at least: more than anything had in 86 photos of the inside of quadrats and 60 drawn scenes without a
 * frame (`bench/framing.ts`). Where cards, tapes, wires and shadows lie all together scores reach 1.6, and too little of the
 * sides is seen.
 */
const LEAST = { contrast: 1, leastSeen: 0.5, meanSeen: 0.75, score: 1.3 } as const;

/**
 * Looks for the frame of a quadrat: a rectangle seen in perspective, of pipe, bar or board of one colour and unlike the
 * sward inside and outside of it, which may be overgrown here and there.
 *
 * @param pixels a photo of some {@link LOOKED_AT} pixels
 * @returns the inner corners; null where no frame is to be seen clearly
 */
export function findFrame(pixels: Pixels): Quadrilateral | null {
  const best = likeliestFrame(pixels);
  const isClear =
    best &&
    best.contrast >= LEAST.contrast &&
    best.leastSeen >= LEAST.leastSeen &&
    best.meanSeen >= LEAST.meanSeen &&
    best.score >= LEAST.score;
  return isClear ? best.corners : null;
}

/** What is likeliest to be a frame, be it ever so unlikely. */
function likeliestFrame(pixels: Pixels): SeenFrame | null {
  const picture = pictureOf(pixels);
  const lines = strongestLines(picture, MOST_LINES).map((line) => traced(picture, line));
  const rough = candidates(lines, picture, MOST_CANDIDATES).flatMap(({ corners }) => {
    const sides = sidesOf(picture, corners);
    return sides ? [{ corners, sides }] : [];
  });
  rough.sort((a, b) => b.sides.score - a.sides.score);
  let best: Fit | null = null;
  for (const { corners, sides } of rough.slice(0, MOST_FITTED)) {
    const fit = fitOf(picture, corners, sides);
    if (fit && fit.sides.score > (best?.sides.score ?? 0)) best = fit;
  }
  // From nearer lines edges are seen more sharply.
  for (let again = 0; best && again < FURTHER_FITS; again++) {
    const next = fitOf(picture, best.corners, best.sides);
    if (!next) break;
    best = next;
  }
  return best && seenFrame(best);
}

/** A quadrilateral, and what is seen along its sides. */
interface Fit {
  readonly corners: Quadrilateral;
  readonly sides: Sides;
}

function fitOf(picture: Picture, corners: Quadrilateral, sides: Sides): Fit | null {
  const fit = fitted(picture, corners, sides);
  const seen = fit && sidesOf(picture, fit);
  return !seen || endsThatGoOn(picture, fit, seen) >= MOST_GOING_ON ? null : { corners: fit, sides: seen };
}

/** How far beyond the ends of a side it is looked whether it goes on, as a share of it. */
const BEYOND = 0.12;
/** Share of what lies beyond a corner that tells that a stripe goes on. */
const GOES_ON = 0.75;
/** Fences and tape measures go on beyond two corners; so do sides of a frame of which they cut off a part. */
const MOST_GOING_ON = 2;

/** How many ends of the four sides a stripe goes on beyond. */
function endsThatGoOn(picture: Picture, corners: Quadrilateral, { bands }: Sides): number {
  // So far the corners themselves may be of the frame, of which a stripe may be a part.
  const frame = WIDEST * Math.min(...sideLengths(corners)) + 2;
  return bands.reduce((ends, band, index) => {
    const [from, to] = sideOf(corners, index);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const corner = frame / Math.hypot(dx, dy);
    const reach = Math.ceil(Math.max(-band.outer, band.inner) + band.inner - band.outer + 4);
    const goesOn = (first: number, last: number): boolean => {
      const isInside = [first, last].every((t) => isIn(picture, from.x + t * dx, from.y + t * dy));
      return isInside && seenShare(band, profileOf(picture, [from, to], reach, [first, last])) >= GOES_ON;
    };
    return ends + Number(goesOn(-corner - BEYOND, -corner)) + Number(goesOn(1 + corner, 1 + corner + BEYOND));
  }, 0);
}

const isIn = ({ width, height }: Picture, x: number, y: number): boolean =>
  x >= 0 && y >= 0 && x <= width && y <= height;

/** Share of the usual difference that is enough for a part of a side to be seen. */
const SEEN = 0.45;

/** Parts of a side in each of which the edge is looked for. */
const PARTS = 12;

/** The quadrilateral of the inner edges of four stripes. */
function fitted(picture: Picture, corners: Quadrilateral, { bands, profiles }: Sides): Quadrilateral | null {
  const lines = bands.map((band, index) => {
    const side = sideOf(corners, index);
    return innerEdge(side, band, profiles[index] as Profile);
  });
  const points = lines.map((line, index) => crossing(lines[(index + 3) % 4] as Segment, line));
  const { width, height } = picture;
  if (!points.every(({ x, y }) => x >= -1 && y >= -1 && x <= width + 1 && y <= height + 1)) return null;
  return orderedCorners(
    points.map(({ x, y }) => ({ x: Math.min(width, Math.max(0, x)), y: Math.min(height, Math.max(0, y)) })),
  );
}

type Segment = readonly [Point, Point];

/** A line along the inner edge of a stripe: the one most parts of it lie on (Theil 1950, Sen 1968). */
function innerEdge([from, to]: Segment, band: Band, profile: Profile): Segment {
  const { colours, reach } = profile;
  const { inner, outer } = band;
  const width = inner - outer;
  const share = (colour: Colour): number => shareOf(colour, band.colour, band.inside);
  const whole =
    edgeNear(colours.map(share), reach, (inner + outer) / 2, (inner + outer) / 2, inner + width) ?? inner;
  const slack = Math.max(2, width / 3);
  const found = partsOf(profile).flatMap(({ at, colours }) => {
    const off = edgeNear(colours.map(share), reach, whole, whole - slack, whole + slack);
    return off === null ? [] : [{ at, off }];
  });
  const slopes = found.flatMap((one, index) =>
    found.slice(index + 1).map((other) => (other.off - one.off) / (other.at - one.at)),
  );
  const slope = found.length < 4 ? 0 : median(slopes);
  const start = found.length < 4 ? whole : median(found.map(({ at, off }) => off - slope * at));
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const [nx, ny] = [-(to.y - from.y) / length, (to.x - from.x) / length];
  const moved = ({ x, y }: Point, off: number): Point => ({ x: x + off * nx, y: y + off * ny });
  return [moved(from, start), moved(to, start + slope)];
}

const median = (values: readonly number[]): number =>
  quantileSorted(
    values.toSorted((a, b) => a - b),
    0.5,
  );

interface Part {
  /** Its middle, as a share of the side. */
  readonly at: number;
  /** By distance, as in a profile. */
  readonly colours: readonly Colour[];
}

/** A profile in parts, each the mean of its places. */
function partsOf({ values, places, reach }: Profile): Part[] {
  const samples = 2 * reach + 1;
  const size = places.length / PARTS;
  return Array.from({ length: PARTS }, (_, part) => {
    const own = places.slice(part * size, (part + 1) * size);
    const colours = Array.from({ length: samples }, (_, sample) =>
      [0, 1, 2].map(
        (channel) =>
          own.reduce(
            (sum, _, place) =>
              sum + (values[3 * ((part * size + place) * samples + sample) + channel] as number),
            0,
          ) / own.length,
      ),
    );
    return {
      at: own.reduce((sum, place) => sum + place, 0) / own.length,
      colours: colours as unknown as Colour[],
    };
  });
}

/** How far a colour is on the way from one to another, 0 to 1. */
function shareOf(colour: Colour, from: Colour, to: Colour): number {
  let [along, whole] = [0, 1e-9];
  for (let channel = 0; channel < 3; channel++) {
    const way = (to[channel] as number) - (from[channel] as number);
    along += ((colour[channel] as number) - (from[channel] as number)) * way;
    whole += way * way;
  }
  return along / whole;
}

/** Where shares rise past a half, the nearest to `near`, from the side; null where they do not. */
function edgeNear(
  shares: readonly number[],
  reach: number,
  near: number,
  from: number,
  to: number,
): number | null {
  let best: number | null = null;
  const last = Math.min(shares.length - 2, Math.floor(to + reach));
  for (let sample = Math.max(0, Math.floor(from + reach)); sample <= last; sample++) {
    const [before, after] = [shares[sample] as number, shares[sample + 1] as number];
    if (before > 0.5 || after <= 0.5) continue;
    const off = sample + (0.5 - before) / (after - before) - reach;
    if (best === null || Math.abs(off - near) < Math.abs(best - near)) best = off;
  }
  return best;
}

function crossing([a, b]: Segment, [c, d]: Segment): Point {
  const [ux, uy, vx, vy] = [b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y];
  const t = ((c.x - a.x) * vy - (c.y - a.y) * vx) / (ux * vy - uy * vx);
  return { x: a.x + t * ux, y: a.y + t * uy };
}

function seenFrame({ corners, sides: { bands, profiles, score } }: Fit): SeenFrame {
  const seen = bands.map((band, index) => seenShare(band, profiles[index] as Profile));
  return {
    corners,
    contrast: Math.min(...bands.map(({ contrast }) => contrast)),
    leastSeen: Math.min(...seen),
    meanSeen: mean(seen),
    score,
  };
}

/** Share of a side's parts in which the stripe is unlike what is beside it the way it is on the whole. */
function seenShare({ outer, inner, colour, outside, inside }: Band, profile: Profile): number {
  const width = inner - outer;
  const beside = meanColour([outside, inside]);
  const parts = partsOf(profile);
  const seen = parts.filter(({ colours }) => {
    const at = (off: number): Colour =>
      colours[Math.round(Math.max(0, Math.min(colours.length - 1, off + profile.reach)))] as Colour;
    const flanks = meanColour([at(outer - 2 - width / 4), at(inner + 2 + width / 4)]);
    const own = at((inner + outer) / 2);
    // As far from the flanks here as the stripe is on the whole, more or less.
    const moved = [0, 1, 2].map((c) => (own[c] as number) - (flanks[c] as number) + (beside[c] as number));
    return shareOf(moved as unknown as Colour, beside, colour) > SEEN;
  });
  return seen.length / parts.length;
}
