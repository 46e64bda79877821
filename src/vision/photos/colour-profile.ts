import type { Pixels } from './pixels.ts';

/** Bytes before the table of tags, and of an entry in it (ICC.1:2022, 7.2 and 7.3). */
const [HEADER_BYTES, ENTRY_BYTES] = [128, 12];

/** sRGB as profiles have it, adapted to D50: columns red, green, blue (IEC 61966-2-1), with 16 bits after the point. */
const SRGB: Matrix3 = [
  [28576 / 65536, 25238 / 65536, 9376 / 65536],
  [14578 / 65536, 46985 / 65536, 3973 / 65536],
  [911 / 65536, 6362 / 65536, 46788 / 65536],
];

/** Its curve from light to level: exponent, scale and offset above a limit, a straight line below. */
const SRGB_CURVE = {
  exponent: 157289 / 65536,
  scale: 62119 / 65536,
  offset: 3417 / 65536,
  slope: 5072 / 65536,
  limit: 2651 / 65536,
} as const;

/** Light and matrices have 14 bits after the point. */
const ONE = 2 ** 14;

/** Matrices that differ less from one that changes nothing are left out. */
const IDENTITY_TOLERANCE = 1 / 65535;

type Triple = readonly [number, number, number];
type Matrix3 = readonly [Triple, Triple, Triple];

/** Colours of three primaries, each with a curve from its level to its light. */
export interface MatrixProfile {
  /** Columns red, green, blue; rows X, Y, Z at D50. */
  readonly primaries: Matrix3;
  /** Light of each of 256 levels, 0 to 1. */
  readonly curves: readonly [Float64Array, Float64Array, Float64Array];
}

/**
 * Reads an ICC profile of RGB by primaries and curves, as cameras, phones and screens have.
 *
 * @returns null for profiles of other kinds (tables, CMYK, grey) and damaged ones
 */
export function readMatrixProfile(profile: Uint8Array): MatrixProfile | null {
  try {
    return profileOf(new DataView(profile.buffer, profile.byteOffset, profile.byteLength));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function profileOf(view: DataView): MatrixProfile | null {
  const tags = new Map<string, number>();
  for (let tag = 0, count = view.getUint32(HEADER_BYTES); tag < count; tag++) {
    const at = HEADER_BYTES + 4 + tag * ENTRY_BYTES;
    tags.set(letters(view, at), view.getUint32(at + 4));
  }
  if (letters(view, 16) !== 'RGB ' || tags.has('A2B0')) return null;
  const columns = ['rXYZ', 'gXYZ', 'bXYZ'].map((tag) => xyz(view, tags.get(tag)));
  const curves = ['rTRC', 'gTRC', 'bTRC'].map((tag) => curve(view, tags.get(tag)));
  const [red, green, blue] = columns;
  const [redCurve, greenCurve, blueCurve] = curves;
  if (!red || !green || !blue || !redCurve || !greenCurve || !blueCurve) return null;
  const row = (at: 0 | 1 | 2): Triple => [red[at], green[at], blue[at]];
  return { primaries: [row(0), row(1), row(2)], curves: [redCurve, greenCurve, blueCurve] };
}

const letters = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((letter) => view.getUint8(at + letter)));

/** A number with 16 bits after the point. */
const fixed = (view: DataView, at: number): number => view.getInt32(at) / 65536;

function xyz(view: DataView, at: number | undefined): Triple | null {
  if (at === undefined || letters(view, at) !== 'XYZ ') return null;
  return [fixed(view, at + 8), fixed(view, at + 12), fixed(view, at + 16)];
}

function curve(view: DataView, at: number | undefined): Float64Array | null {
  if (at === undefined) return null;
  const kind = letters(view, at);
  const light = kind === 'para' ? parametric(view, at) : kind === 'curv' ? sampled(view, at) : null;
  return light && Float64Array.from({ length: 256 }, (_, level) => light(level / 255));
}

/** Parameters of each type of parametric curve (ICC.1:2022, table 68). */
const PARAMETERS = [1, 3, 4, 5, 7];

function parametric(view: DataView, at: number): ((level: number) => number) | null {
  const type = view.getUint16(at + 8);
  const count = PARAMETERS[type];
  if (count === undefined) return null;
  const numbers = Array.from({ length: count }, (_, index) => fixed(view, at + 12 + 4 * index));
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers;
  const power = (x: number, offset: number): number => Math.max(0, a * x + b) ** g + offset;
  switch (type) {
    case 0:
      return (x) => x ** g;
    case 1:
      return (x) => (x >= -b / a ? power(x, 0) : 0);
    case 2:
      return (x) => (x >= -b / a ? power(x, c) : c);
    default:
      return (x) => (x >= d ? power(x, e) : c * x + f);
  }
}

/** A curve of samples, evenly spread, between which lies a line of 16 bits; a single one is an exponent. */
function sampled(view: DataView, at: number): (level: number) => number {
  const count = view.getUint32(at + 8);
  const sample = (index: number): number => view.getUint16(at + 12 + 2 * index);
  if (count === 0) return (x) => x;
  if (count === 1) {
    const exponent = sample(0) / 256;
    return (x) => x ** exponent;
  }
  return (x) => {
    const word = Math.floor(x * 65535 + 0.5);
    if (word === 65535) return sample(count - 1) / 65535;
    const scaled = word * (count - 1);
    const place = scaled + Math.floor((scaled + 0x7fff) / 0xffff);
    const [below, rest] = [Math.floor(place / 65536), place % 65536];
    const [from, to] = [sample(below), sample(below + 1)];
    return (from + Math.floor(((to - from) * rest + 0x8000) / 65536)) / 65535;
  };
}

/**
 * Changes pixels of a profile to sRGB in place, digit for digit as Little CMS, the colour engine of the server's decoder,
 * does for 8 bits (`cmsopt.c`, matrix shaper): curves and matrix with 14 bits after the point.
 */
export function toSrgb({ data }: Pixels, { primaries, curves }: MatrixProfile): void {
  const change = product(inverse(SRGB), primaries);
  if (
    change.every((row, y) =>
      row.every((value, x) => Math.abs(value - (x === y ? 1 : 0)) < IDENTITY_TOLERANCE),
    )
  ) {
    const levels = curves.map((curve) => curve.map((light) => Math.round(255 * srgbLevel(light))));
    for (let at = 0; at < data.length; at++) data[at] = levels[at % 3]?.[data[at] as number] as number;
    return;
  }
  const [[rr, rg, rb], [gr, gg, gb], [br, bg, bb]] = change.map((row) =>
    row.map(inFixed),
  ) as unknown as Matrix3;
  const [red, green, blue] = curves.map((curve) => curve.map(inFixed)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const levels = srgbLevels();
  const level = (light: number): number =>
    levels[Math.max(0, Math.min(ONE, Math.floor((light + ONE / 2) / ONE)))] as number;
  for (let at = 0; at < data.length; at += 3) {
    const r = red[data[at] as number] as number;
    const g = green[data[at + 1] as number] as number;
    const b = blue[data[at + 2] as number] as number;
    data[at] = level(rr * r + rg * g + rb * b);
    data[at + 1] = level(gr * r + gg * g + gb * b);
    data[at + 2] = level(br * r + bg * g + bb * b);
  }
}

const inFixed = (value: number): number => Math.floor(value * ONE + 0.5);

/** The sRGB level of a light, 0 to 1. */
function srgbLevel(light: number): number {
  const { exponent, scale, offset, slope, limit } = SRGB_CURVE;
  const isCurved = light >= (scale * limit + offset) ** exponent;
  return isCurved ? (light ** (1 / exponent) - offset) / scale : light / slope;
}

/** The sRGB level of each light, first rounded to 16 bits, then to 8. */
function srgbLevels(): Uint8Array {
  return Uint8Array.from({ length: ONE + 1 }, (_, light) => {
    const word = Math.floor(Math.max(0, Math.min(65535, 65535 * srgbLevel(light / ONE))) + 0.5);
    return Math.floor((word * 65281 + 2 ** 23) / 2 ** 24);
  });
}

function product(a: Matrix3, b: Matrix3): Matrix3 {
  const row = ([x, y, z]: Triple): Triple => {
    const at = (column: 0 | 1 | 2): number => x * b[0][column] + y * b[1][column] + z * b[2][column];
    return [at(0), at(1), at(2)];
  };
  return [row(a[0]), row(a[1]), row(a[2])];
}

/** By cofactors. */
function inverse([[a, b, c], [d, e, f], [g, h, i]]: Matrix3): Matrix3 {
  const size = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [(e * i - f * h) / size, (c * h - b * i) / size, (b * f - c * e) / size],
    [(f * g - d * i) / size, (a * i - c * g) / size, (c * d - a * f) / size],
    [(d * h - e * g) / size, (b * g - a * h) / size, (a * e - b * d) / size],
  ];
}
