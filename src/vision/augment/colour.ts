import type { Pixels } from '../photos/pixels.ts';

/** Weights of ITU-R BT.601 luma. */
const RED_LUMA = 0.299;
const GREEN_LUMA = 0.587;
const BLUE_LUMA = 0.114;
/** Scale of the colour differences in Y′CbCr: B − Y and R − Y brought to ±½. */
const CB_SCALE = 0.5 / (1 - BLUE_LUMA);
const CR_SCALE = 0.5 / (1 - RED_LUMA);
/** Bits behind the point of matrix coefficients. */
const MATRIX_BITS = 16;

/** Every channel multiplied by `factor`. */
export function brightened(pixels: Pixels, factor: number): Pixels {
  return scaledAndLifted(pixels, factor, 0);
}

/** Distances from the picture's mean luma multiplied by `factor`. */
export function withContrast(pixels: Pixels, factor: number): Pixels {
  return scaledAndLifted(pixels, factor, meanLuma(pixels) * (1 - factor));
}

/** Every channel multiplied by `factor`, then `offset` grey levels added. */
export function scaledAndLifted({ width, height, data }: Pixels, factor: number, offset: number): Pixels {
  const tones = Uint8ClampedArray.from({ length: 256 }, (_, value) => value * factor + offset);
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) result[i] = tones[data[i] as number] as number;
  return { width, height, data: result };
}

/** Distances from each pixel's luma multiplied by `factor`: 0 gives grey, luma is kept. */
export function saturated(pixels: Pixels, factor: number): Pixels {
  return mixed(pixels, (red, green, blue) => {
    const y = luma(red, green, blue) * (1 - factor);
    return [y + factor * red, y + factor * green, y + factor * blue];
  });
}

/**
 * Hues turned by a share of a full turn: the colour differences (Cb, Cr) of ITU-R BT.601 are rotated, so luma
 * stays what it was up to clipping, which a rotation in HSV does not grant.
 */
export function withHueTurned(pixels: Pixels, turn: number): Pixels {
  const cosine = Math.cos(2 * Math.PI * turn);
  const sine = Math.sin(2 * Math.PI * turn);
  return mixed(pixels, (red, green, blue) => {
    const y = luma(red, green, blue);
    const cb = (blue - y) * CB_SCALE;
    const cr = (red - y) * CR_SCALE;
    const newRed = y + (cosine * cr + sine * cb) / CR_SCALE;
    const newBlue = y + (cosine * cb - sine * cr) / CB_SCALE;
    return [newRed, (y - RED_LUMA * newRed - BLUE_LUMA * newBlue) / GREEN_LUMA, newBlue];
  });
}

/** Shifts in HSV: hue in degrees, saturation and value in grey levels of 255. */
export interface HsvShift {
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
}

/** Hue, saturation and value of every pixel shifted; greys have no hue to shift and stay grey at saturation 0. */
export function shiftedInHsv({ width, height, data }: Pixels, shift: HsvShift): Pixels {
  const result = new Uint8ClampedArray(data.length);
  const turn = shift.hue / 60;
  for (let i = 0; i < data.length; i += 3) {
    const r = data[i] as number;
    const g = data[i + 1] as number;
    const b = data[i + 2] as number;
    const most = r > g ? (r > b ? r : b) : g > b ? g : b;
    const least = r < g ? (r < b ? r : b) : g < b ? g : b;
    const chroma = most - least;
    let sector = 0;
    if (chroma > 0) {
      if (most === r) sector = (g - b) / chroma;
      else if (most === g) sector = 2 + (b - r) / chroma;
      else sector = 4 + (r - g) / chroma;
    }
    sector += turn;
    const saturation = chroma === 0 ? 0 : clamped((255 * chroma) / most + shift.saturation) / 255;
    const value = clamped(most + shift.value);
    result[i] = fromHsv(sector + 5, saturation, value);
    result[i + 1] = fromHsv(sector + 3, saturation, value);
    result[i + 2] = fromHsv(sector + 1, saturation, value);
  }
  return { width, height, data: new Uint8Array(result.buffer) };
}

/** One channel of an HSV colour: `place` is the hue in sixths of a turn plus 5, 3 or 1 for red, green, blue. */
function fromHsv(place: number, saturation: number, value: number): number {
  const k = place - 6 * Math.floor(place / 6);
  const ramp = k < 4 - k ? k : 4 - k;
  return value - value * saturation * (ramp < 0 ? 0 : ramp > 1 ? 1 : ramp);
}

function clamped(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function luma(red: number, green: number, blue: number): number {
  return RED_LUMA * red + GREEN_LUMA * green + BLUE_LUMA * blue;
}

/** Mean luma of a picture, grey levels. */
export function meanLuma({ data }: Pixels): number {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let i = 0; i < data.length; i += 3) {
    red += data[i] as number;
    green += data[i + 1] as number;
    blue += data[i + 2] as number;
  }
  return luma(red, green, blue) / (data.length / 3);
}

/** A linear map of colours applied to every pixel; it is read off from what it does to red, green and blue. */
function mixed(
  { width, height, data }: Pixels,
  map: (red: number, green: number, blue: number) => readonly [number, number, number],
): Pixels {
  const fixed = (value: number): number => Math.round(value * 2 ** MATRIX_BITS);
  const [rr, gr, br] = map(1, 0, 0).map(fixed) as [number, number, number];
  const [rg, gg, bg] = map(0, 1, 0).map(fixed) as [number, number, number];
  const [rb, gb, bb] = map(0, 0, 1).map(fixed) as [number, number, number];
  const half = 1 << (MATRIX_BITS - 1);
  const result = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const r = data[i] as number;
    const g = data[i + 1] as number;
    const b = data[i + 2] as number;
    result[i] = (rr * r + rg * g + rb * b + half) >> MATRIX_BITS;
    result[i + 1] = (gr * r + gg * g + gb * b + half) >> MATRIX_BITS;
    result[i + 2] = (br * r + bg * g + bb * b + half) >> MATRIX_BITS;
  }
  return { width, height, data: new Uint8Array(result.buffer) };
}
