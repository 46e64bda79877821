import { distance, type Point, type Quadrilateral, sideLengths } from '../photos/quadrilateral.ts';
import { type Picture, valuesAt } from './picture.ts';

/** Colours of a place, in the units of a picture. */
export type Colour = readonly [number, number, number];

/** Places along a side that are looked at, and the share of it at both ends that is not. */
const [PLACES, ENDS] = [48, 0.05] as const;

/** What is seen across a side, the mean of places along it. */
export interface Profile {
  /** Colours that most places have, by distance: index 0 is `reach` pixels outside. */
  readonly colours: readonly Colour[];
  /** How much they scatter along the side. */
  readonly scatter: readonly number[];
  readonly reach: number;
  /** Colours place by place, `[place, distance, 3]`. */
  readonly values: Float64Array;
  /** Where the places are, as shares of the side. */
  readonly places: readonly number[];
}

/** Side `index` of a quadrilateral, from corner to corner clockwise. */
export function sideOf(corners: Quadrilateral, index: number): readonly [Point, Point] {
  return [corners[index] as Point, corners[(index + 1) % 4] as Point];
}

/** Looks across a side, a sample a pixel, `reach` to both sides of it. @param between where, as shares of the side */
export function profileOf(
  picture: Picture,
  [from, to]: readonly [Point, Point],
  reach: number,
  [first, last]: readonly [number, number] = [ENDS, 1 - ENDS],
): Profile {
  const length = distance(from, to);
  // Clockwise, so that inside is to the right.
  const [nx, ny] = [-(to.y - from.y) / length, (to.x - from.x) / length];
  const samples = 2 * reach + 1;
  const values = new Float64Array(PLACES * samples * 3);
  const places = Array.from(
    { length: PLACES },
    (_, place) => first + ((last - first) * (place + 0.5)) / PLACES,
  );
  places.forEach((t, place) => {
    const [x, y] = [from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)];
    for (let sample = 0; sample < samples; sample++) {
      const off = sample - reach;
      valuesAt(picture, x + off * nx, y + off * ny, values, 3 * (place * samples + sample));
    }
  });
  const colours: Colour[] = [];
  const scatter: number[] = [];
  const column = new Float64Array(PLACES);
  for (let sample = 0; sample < samples; sample++) {
    const middle = [0, 0, 0];
    let spread = 0;
    for (let channel = 0; channel < 3; channel++) {
      for (let place = 0; place < PLACES; place++) {
        column[place] = values[3 * (place * samples + sample) + channel] as number;
      }
      column.sort();
      middle[channel] = ((column[PLACES / 2] as number) + (column[PLACES / 2 - 1] as number)) / 2;
      spread += (column[(3 * PLACES) / 4] as number) - (column[PLACES / 4] as number);
    }
    colours.push(middle as unknown as Colour);
    scatter.push(spread / 3);
  }
  return { colours, scatter, reach, values, places };
}

/** A stripe along a side that is unlike what lies on both sides of it. */
export interface Band {
  /** Its edges, from the side, pixels: outer and inner, positive inside. */
  readonly outer: number;
  readonly inner: number;
  readonly colour: Colour;
  readonly outside: Colour;
  readonly inside: Colour;
  /** How unlike: the smaller of both differences. */
  readonly contrast: number;
  /** How much more alike its places are than those beside it, 0 to 1. */
  readonly evenness: number;
}

/** Edges across a side that are tried, and the stripes between them. */
const [MOST_EDGES, MOST_BANDS] = [6, 6] as const;
/** The narrowest stripe, pixels: a wire that the picture has shrunk. */
const NARROWEST = 1.4;
/** How far beside a stripe is looked, pixels. */
const BESIDE = { least: 3, most: 8, gap: 1 } as const;

/** The stripes that may be a frame's side, the clearest first. @param widest pixels */
function bandsOf({ colours, scatter, reach }: Profile, widest: number): Band[] {
  const edges = edgesOf(colours);
  const bands: Band[] = [];
  const mean = (from: number, to: number): Colour | null => colourBetween(colours, from, to);
  edges.forEach((first, index) => {
    for (const second of edges.slice(index + 1)) {
      const width = second - first;
      if (width < NARROWEST || width > widest) continue;
      const beside = Math.min(BESIDE.most, Math.max(BESIDE.least, width));
      const colour = mean(first + 0.25 * width, second - 0.25 * width);
      const outside = mean(first - BESIDE.gap - beside, first - BESIDE.gap);
      const inside = mean(second + BESIDE.gap, second + BESIDE.gap + beside);
      if (!colour || !outside || !inside) continue;
      const own = meanOf(scatter, first + 0.25 * width, second - 0.25 * width);
      // A flank as even as the stripe is of the frame too.
      const others = Math.min(
        meanOf(scatter, first - BESIDE.gap - beside, first - BESIDE.gap),
        meanOf(scatter, second + BESIDE.gap, second + BESIDE.gap + beside),
      );
      bands.push({
        outer: first - reach,
        inner: second - reach,
        colour,
        outside,
        inside,
        contrast: Math.min(apart(colour, outside), apart(colour, inside)),
        evenness: Math.max(0, Math.min(1, 1 - own / Math.max(others, 1e-6))),
      });
    }
  });
  return bands.sort((a, b) => clearness(b) - clearness(a)).slice(0, MOST_BANDS);
}

/** What speaks for a stripe. */
const clearness = ({ contrast, evenness }: Band): number =>
  ((CLEAR * contrast) / (contrast + CLEAR)) * (0.5 + evenness);

/** Contrast beyond this adds little. */
const CLEAR = 3;

const apart = (a: Colour, b: Colour): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** Where colours change most, sorted. */
function edgesOf(colours: readonly Colour[]): number[] {
  const change = colours.map((_, index) => {
    const [before, after] = [colours[index - 1], colours[index + 1]];
    return before && after ? apart(before, after) : 0;
  });
  const tops = change.flatMap((value, index) => {
    const [before, after] = [change[index - 1] ?? 0, change[index + 1] ?? 0];
    if (value <= 0.05 || value < before || value <= after) return [];
    // The top of the parabola through three.
    const bend = before - 2 * value + after;
    return [{ at: index + (bend < 0 ? (before - after) / (2 * bend) : 0), value }];
  });
  return tops
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST_EDGES)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
}

export function meanColour(colours: readonly Colour[]): Colour {
  const mean = (channel: 0 | 1 | 2): number =>
    colours.reduce((sum, colour) => sum + colour[channel], 0) / colours.length;
  return [mean(0), mean(1), mean(2)];
}

/** The mean colour of some distances; null where they are not all in the profile. */
function colourBetween(colours: readonly Colour[], from: number, to: number): Colour | null {
  if (Math.round(from) < -1 || Math.round(to) > colours.length) return null;
  const taken = colours.slice(Math.max(0, Math.round(from)), Math.round(to) + 1);
  return taken.length === 0 ? null : meanColour(taken);
}

function meanOf(values: readonly number[], from: number, to: number): number {
  const taken = values.slice(Math.max(0, Math.round(from)), Math.max(0, Math.round(to)) + 1);
  return taken.reduce((sum, value) => sum + value, 0) / Math.max(1, taken.length);
}

/** How wide a stripe a frame may be at all beside its shorter side inside. */
export const WIDEST = 0.2;

/** What all four sides of a frame look like, each from its own line. */
export interface Sides {
  readonly bands: readonly [Band, Band, Band, Band];
  readonly profiles: readonly [Profile, Profile, Profile, Profile];
  readonly score: number;
}

/** The stripes along the four sides that are likest to each other and unlikest to what is beside them; null of none. */
export function sidesOf(picture: Picture, corners: Quadrilateral): Sides | null {
  const shorter = Math.min(...sideLengths(corners));
  const widest = Math.max(4, WIDEST * shorter);
  const reach = Math.round(widest + BESIDE.least + 2);
  const profiles = [0, 1, 2, 3].map((index) => profileOf(picture, sideOf(corners, index), reach));
  const [as = [], bs = [], cs = [], ds = []] = profiles.map((profile) => bandsOf(profile, widest));
  let best: Sides | null = null;
  for (const a of as) {
    for (const b of bs) {
      for (const c of cs) {
        for (const d of ds) {
          const bands = [a, b, c, d] as const;
          const score = agreement(bands);
          if (score > (best?.score ?? 0))
            best = { bands, profiles: profiles as unknown as Sides['profiles'], score };
        }
      }
    }
  }
  return best;
}

/** How much differences of colour and of width between the sides count against a frame. */
const [UNLIKE, UNEVEN] = [0.8, 0.3] as const;
/** Sides in the sun and in shade differ in brightness. */
const SHADED = 0.35;

const unlikeness = (a: Colour, b: Colour): number =>
  Math.hypot(SHADED * (a[0] - b[0]), a[1] - b[1], a[2] - b[2]);

/** How clear four stripes are, and how alike. */
function agreement(bands: Sides['bands']): number {
  const mean = meanColour(bands.map(({ colour }) => colour));
  const widths = bands.map(({ outer, inner }) => inner - outer);
  let score = 0;
  let least = Infinity;
  for (const band of bands) {
    const alike = 1 - (UNLIKE * unlikeness(band.colour, mean)) / band.contrast;
    const clear = clearness(band) * Math.max(0, alike);
    score += clear;
    least = Math.min(least, clear);
  }
  return score / 4 + least - UNEVEN * Math.log(Math.max(...widths) / Math.min(...widths));
}
