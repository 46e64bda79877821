import { detail, type Frame, halvedFrame, luma, type Plane, pyramid } from './frame.ts';
import { indexPlane } from './indices.ts';
import { meanOf } from './statistics.ts';

/** A colour plane by size. */
export interface Tint {
  /** The detail at 1, 2, 4, 8 and 16 mm a pixel. */
  readonly details: readonly Float32Array[];
  /** The plane itself at 16 mm a pixel. */
  readonly coarse: Float32Array;
}

/** What the descriptor groups look at, computed once a photo. */
export interface Scene {
  /** Colour at 10 px/cm. */
  readonly colour: Frame;
  readonly hsv: HsvPlanes;
  readonly lab: LabPlanes;
  /** Excess green at 10 px/cm. */
  readonly excessGreen: Float32Array;
  /** (G − R) / (G + R) at 10 px/cm: above 0 for leaf, below for straw. */
  readonly ngrdi: Float32Array;
  /** What each pixel at 10 px/cm shows. */
  readonly cover: Cover;
  /** L*, a*, b*, excess green, saturation and NGRDI, in this order. */
  readonly tints: readonly Tint[];
  /** Luma over its mean, so that exposure drops out; 20 px/cm first, then halved five times. */
  readonly light: readonly Plane[];
  /** Excess green, 10 px/cm first, then halved four times. */
  readonly greenness: readonly Plane[];
}

/** Prepares a picture of the working size for the descriptor groups. */
export function sceneOf(frame: Frame): Scene {
  const colour = halvedFrame(frame);
  const excessGreen = indexPlane(colour, 'exg');
  const ngrdi = indexPlane(colour, 'ngrdi');
  const lab = labPlanes(colour);
  const hsv = hsvPlanes(colour);
  const { width, height } = colour;
  const tinted = [lab.lightness, lab.a, lab.b, excessGreen, hsv.saturation, ngrdi];
  return {
    colour,
    hsv,
    lab,
    excessGreen,
    ngrdi,
    cover: coverOf(lab, excessGreen, ngrdi),
    tints: tinted.map((data) => tintOf({ width, height, data })),
    light: pyramid(relativeLight(frame), 6),
    greenness: pyramid({ width, height, data: excessGreen }, 5),
  };
}

function relativeLight(frame: Frame): Plane {
  const plane = luma(frame);
  const scale = 1 / Math.max(meanOf(plane.data), 0.01);
  return { ...plane, data: plane.data.map((value) => value * scale) };
}

function tintOf(plane: Plane): Tint {
  const octaves = pyramid(plane, 5);
  return { details: octaves.map(detail), coarse: (octaves[4] ?? plane).data };
}

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
    hue[i] = (sector * 60 + 360) % 360;
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
  const linear = linearTable();
  const count = frame.red.length;
  const lightness = new Float32Array(count);
  const a = new Float32Array(count);
  const b = new Float32Array(count);
  const last = linear.length - 1;
  for (let i = 0; i < count; i++) {
    const r = linear[Math.round((frame.red[i] as number) * last)] as number;
    const g = linear[Math.round((frame.green[i] as number) * last)] as number;
    const blue = linear[Math.round((frame.blue[i] as number) * last)] as number;
    const x = labCurve((0.4124564 * r + 0.3575761 * g + 0.1804375 * blue) / 0.95047);
    const y = labCurve(0.2126729 * r + 0.7151522 * g + 0.072175 * blue);
    const z = labCurve((0.0193339 * r + 0.119192 * g + 0.9503041 * blue) / 1.08883);
    lightness[i] = 116 * y - 16;
    a[i] = 500 * (x - y);
    b[i] = 200 * (y - z);
  }
  return { lightness, a, b };
}

function labCurve(ratio: number): number {
  return ratio > 216 / 24389 ? Math.cbrt(ratio) : ((24389 / 27) * ratio + 16) / 116;
}

/** The sRGB decoding curve at 4096 evenly spaced levels: a table is ten times faster than the power. */
function linearTable(): Float32Array {
  return Float32Array.from({ length: 4096 }, (_, level) => {
    const coded = level / 4095;
    return coded <= 0.04045 ? coded / 12.92 : ((coded + 0.055) / 1.055) ** 2.4;
  });
}

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
  for (let i = 0; i < count; i++) {
    const lightness = lab.lightness[i] as number;
    const b = lab.b[i] as number;
    const dark = 1 - softStep(lightness, 0.45 * mean, 0.08 * mean + 1);
    const leaf = softStep(excessGreen[i] as number, 0.08, 0.03) * softStep(ngrdi[i] as number, 0, 0.015);
    const yellow = softStep(b, 12, 3);
    green[i] = leaf;
    brown[i] = (1 - leaf) * yellow * (1 - dark);
    bare[i] = (1 - leaf) * (1 - yellow) * (1 - dark);
    shadow[i] = dark;
  }
  return { green, brown, bare, shadow };
}

/** A soft threshold: 0 well below `at`, ½ there, 1 well above; `width` is the logistic's scale. */
export function softStep(value: number, at: number, width: number): number {
  return 1 / (1 + Math.exp(-(value - at) / width));
}
