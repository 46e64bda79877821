import { curve, logisticCurve } from './curve.ts';
import { detailMoments } from './detail.ts';
import { type Frame, halvedFrame, type Plane, pyramid, relativeLight } from './frame.ts';
import { type IndexPlanes, leafIndices } from './indices.ts';
import { type Moments, meanOf } from './statistics.ts';

/** A plane by size. */
export class Octaves {
  /** The plane, then halved again and again. */
  readonly planes: readonly Plane[];
  readonly #details: (Moments | undefined)[] = [];

  constructor(finest: Plane, levels: number) {
    this.planes = pyramid(finest, levels);
  }

  /** The plane of a level, 0 the finest. */
  plane(level: number): Plane {
    const found = this.planes[level];
    if (found === undefined) throw new RangeError(`there is no level ${level}`);
    return found;
  }

  /** Moments of the detail of a level (see `detailMoments`). */
  detail(level: number): Moments {
    this.#details[level] ??= detailMoments(this.plane(level));
    return this.#details[level];
  }
}

/** What the descriptor groups look at; each part is computed once, when a group first asks for it. */
export class Scene {
  /** Colour at 10 px/cm. */
  readonly colour: Frame;
  /** Luma over its mean, so that exposure drops out; 20 px/cm first, then halved five times. */
  readonly light: Octaves;
  #lab: LabPlanes | undefined;
  #hsv: HsvPlanes | undefined;
  #leaf: IndexPlanes<'exg' | 'ngrdi'> | undefined;
  #cover: Cover | undefined;
  readonly #tints = new Map<Tint, Octaves>();

  /** @param frame of the working size */
  constructor(frame: Frame) {
    this.colour = halvedFrame(frame);
    this.light = new Octaves(relativeLight(frame), 6);
  }

  get lab(): LabPlanes {
    this.#lab ??= labPlanes(this.colour);
    return this.#lab;
  }

  get hsv(): HsvPlanes {
    this.#hsv ??= hsvPlanes(this.colour);
    return this.#hsv;
  }

  /** Excess green at 10 px/cm. */
  get excessGreen(): Float32Array {
    this.#leaf ??= leafIndices(this.colour);
    return this.#leaf.exg;
  }

  /** (G − R) / (G + R) at 10 px/cm: above 0 for leaf, below for straw. */
  get ngrdi(): Float32Array {
    this.#leaf ??= leafIndices(this.colour);
    return this.#leaf.ngrdi;
  }

  /** What each pixel at 10 px/cm shows. */
  get cover(): Cover {
    this.#cover ??= coverOf(this.lab, this.excessGreen, this.ngrdi);
    return this.#cover;
  }

  /** A plane of {@link TINTS} at 10 px/cm, then halved four times. */
  tint(name: Tint): Octaves {
    const known = this.#tints.get(name);
    if (known) return known;
    const { width, height } = this.colour;
    const octaves = new Octaves({ width, height, data: TINTS[name](this) }, 5);
    this.#tints.set(name, octaves);
    return octaves;
  }
}

/** Planes of colour that are looked at by size. */
const TINTS = {
  light: ({ lab }: Scene) => lab.lightness,
  a: ({ lab }: Scene) => lab.a,
  b: ({ lab }: Scene) => lab.b,
  green: ({ excessGreen }: Scene) => excessGreen,
  saturation: ({ hsv }: Scene) => hsv.saturation,
  ngrdi: ({ ngrdi }: Scene) => ngrdi,
} as const;

/** One of {@link TINTS}; `light` is L*, `green` is excess green. */
export type Tint = keyof typeof TINTS;

/** Hue as a point on the unit circle scaled by chroma, and HSV's saturation and value, all of a picture. */
interface HsvPlanes {
  /** Hue in degrees, 0 to 360; 0 for grey. */
  readonly hue: Float32Array;
  readonly saturation: Float32Array;
  readonly value: Float32Array;
}

/** Hue, saturation and value of every pixel (Smith 1978). */
function hsvPlanes(frame: Frame): HsvPlanes {
  const count = frame.red.length;
  const hue = new Float32Array(count);
  const saturation = new Float32Array(count);
  const value = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const r = frame.red[i] as number;
    const g = frame.green[i] as number;
    const b = frame.blue[i] as number;
    const max = Math.max(r, g, b);
    const range = max - Math.min(r, g, b);
    value[i] = max;
    if (range < 1e-6) continue;
    saturation[i] = range / max;
    const sector = max === r ? (g - b) / range : max === g ? 2 + (b - r) / range : 4 + (r - g) / range;
    hue[i] = sector < 0 ? sector * 60 + 360 : sector * 60;
  }
  return { hue, saturation, value };
}

/** CIE 1976 L*a*b* under D65: L 0 to 100, a and b about ±100. */
interface LabPlanes {
  readonly lightness: Float32Array;
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** sRGB to CIE L*a*b*, D65 white (IEC 61966-2-1 and CIE 15). */
function labPlanes(frame: Frame): LabPlanes {
  const count = frame.red.length;
  const lightness = new Float32Array(count);
  const a = new Float32Array(count);
  const b = new Float32Array(count);
  const last = LINEAR.length - 1;
  for (let i = 0; i < count; i++) {
    const r = LINEAR[((frame.red[i] as number) * last + 0.5) | 0] as number;
    const g = LINEAR[((frame.green[i] as number) * last + 0.5) | 0] as number;
    const blue = LINEAR[((frame.blue[i] as number) * last + 0.5) | 0] as number;
    const x = labCurve((0.4124564 * r + 0.3575761 * g + 0.1804375 * blue) * ONE_OVER_WHITE.x);
    const y = labCurve(0.2126729 * r + 0.7151522 * g + 0.072175 * blue);
    const z = labCurve((0.0193339 * r + 0.119192 * g + 0.9503041 * blue) * ONE_OVER_WHITE.z);
    lightness[i] = 116 * y - 16;
    a[i] = 500 * (x - y);
    b[i] = 200 * (y - z);
  }
  return { lightness, a, b };
}

/** Of the white of D65, whose Y is 1; multiplied with, which is much cheaper than a division. */
const ONE_OVER_WHITE = { x: 1 / 0.95047, z: 1 / 1.08883 } as const;

/** Where the cube root of L*a*b* goes over into a straight line. */
const DARKEST_ROOT = 216 / 24389;

/** Cube roots from there to white's, to 5·10⁻⁹. */
const cubeRoot = curve(Math.cbrt, (x) => 1 / (3 * Math.cbrt(x) ** 2), [DARKEST_ROOT, 1.01], 2048);

function labCurve(ratio: number): number {
  return ratio > DARKEST_ROOT ? cubeRoot(ratio) : ((24389 / 27) * ratio + 16) / 116;
}

/** The sRGB decoding curve at 4096 evenly spaced levels: a table is ten times faster than the power. */
const LINEAR = Float32Array.from({ length: 4096 }, (_, level) => {
  const coded = level / 4095;
  return coded <= 0.04045 ? coded / 12.92 : ((coded + 0.055) / 1.055) ** 2.4;
});

/** Shares of a pixel; green, brown and bare are exclusive of each other, shadow is not. */
interface Cover {
  readonly green: Float32Array;
  readonly brown: Float32Array;
  readonly bare: Float32Array;
  readonly shadow: Float32Array;
}

/** Degree, 0 to 1, to which each pixel is green leaf, brown litter, bare ground and deep shadow. */
function coverOf(lab: LabPlanes, excessGreen: Float32Array, ngrdi: Float32Array): Cover {
  const count = excessGreen.length;
  const green = new Float32Array(count);
  const brown = new Float32Array(count);
  const bare = new Float32Array(count);
  const shadow = new Float32Array(count);
  const mean = meanOf(lab.lightness);
  const lightPerWidth = 1 / (0.08 * mean + 1);
  for (let i = 0; i < count; i++) {
    const lightness = lab.lightness[i] as number;
    const b = lab.b[i] as number;
    const dark = 1 - softStep(lightness, 0.45 * mean, lightPerWidth);
    const leaf =
      softStep(excessGreen[i] as number, 0.08, 1 / 0.03) * softStep(ngrdi[i] as number, 0, 1 / 0.015);
    const yellow = softStep(b, 12, 1 / 3);
    green[i] = leaf;
    brown[i] = (1 - leaf) * yellow * (1 - dark);
    bare[i] = (1 - leaf) * (1 - yellow) * (1 - dark);
    shadow[i] = dark;
  }
  return { green, brown, bare, shadow };
}

/** A soft threshold: 0 well below `at`, ½ there, 1 well above; `perWidth` is one over the logistic's scale. */
export function softStep(value: number, at: number, perWidth: number): number {
  return logisticCurve((value - at) * perWidth);
}
