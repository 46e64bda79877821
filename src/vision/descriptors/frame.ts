import type { Pixels } from '../photos/pixels.ts';

/** Working size: about 20 px/cm of the 70×30 cm quadrat, and divisible by 2⁵ so that halving stays symmetric. */
const FRAME_WIDTH = 1408;
const FRAME_HEIGHT = 608;

/** Share of each side left out: the frame's bars and the ground beyond them show there. */
const MARGIN = 0.02;

/** One number a pixel. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  /** [height, width], row by row from the top left. */
  readonly data: Float32Array;
}

/** A colour picture as three planes, values 0 to 1. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
}

/**
 * Brings a photo to the working size: an upright photo is turned a quarter, a narrow margin is cut, and the
 * rest is averaged (or stretched, when smaller) onto {@link FRAME_WIDTH} × {@link FRAME_HEIGHT}. The quadrat
 * is 70×30 cm whatever the pixels, so a pixel of the frame is always the same piece of ground.
 */
export function workingFrame(pixels: Pixels): Frame {
  const upright = pixels.height > pixels.width;
  const across = upright ? pixels.height : pixels.width;
  const down = upright ? pixels.width : pixels.height;
  const columns = areaTaps(across, FRAME_WIDTH);
  const rows = areaTaps(down, FRAME_HEIGHT);
  const acrossStep = upright ? pixels.width * 3 : 3;
  const downStep = upright ? 3 : pixels.width * 3;
  const make = (): Float32Array => new Float32Array(FRAME_WIDTH * FRAME_HEIGHT);
  const frame = { width: FRAME_WIDTH, height: FRAME_HEIGHT, red: make(), green: make(), blue: make() };
  // Rows of the photo come in order and are needed a few at a time, so only these are kept, where they stay cached.
  const kept = Array.from({ length: rows.each }, () => new NarrowRow());
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    const first = rows.first[y] as number;
    const sources = kept.map((_, i) => kept[(first + i) % kept.length] as NarrowRow);
    sources.forEach((source, i) => {
      if (source.row !== first + i) source.read(pixels.data, first + i, downStep, acrossStep, columns);
    });
    const weights = rows.weights.subarray(y * rows.each, (y + 1) * rows.each);
    for (const band of ['red', 'green', 'blue'] as const) {
      const row = frame[band].subarray(y * FRAME_WIDTH, (y + 1) * FRAME_WIDTH);
      flatten(
        sources.map((source) => source[band]),
        weights,
        row,
      );
    }
  }
  return frame;
}

/** For each output position: the first input, and the weights of it and those after it (summing to one). */
interface Taps {
  readonly first: Int32Array;
  /** Inputs of each output; some have weight 0. */
  readonly each: number;
  readonly weights: Float64Array;
}

function areaTaps(inputs: number, outputs: number): Taps {
  // Margins stay within the picture, however few pixels it has.
  const margin = inputs * MARGIN;
  const span = (inputs - 2 * margin) / outputs;
  const ranges = Array.from({ length: outputs }, (_, out) => {
    const from = margin + out * span;
    const to = margin + (out + 1) * span;
    const start = Math.min(inputs - 1, Math.floor(from));
    const end = Math.min(inputs, Math.max(start + 1, Math.ceil(to)));
    return { from, to, start, end };
  });
  const each = Math.max(...ranges.map(({ start, end }) => end - start));
  const first = Int32Array.from(ranges, ({ start }) => Math.min(start, inputs - each));
  const weights = new Float64Array(outputs * each);
  ranges.forEach(({ from, to, start, end }, out) => {
    const own = weights.subarray(out * each, (out + 1) * each);
    for (let i = start; i < end; i++) {
      own[i - (first[out] as number)] = Math.max(1e-12, Math.min(to, i + 1) - Math.max(from, i));
    }
    const sum = own.reduce((total, weight) => total + weight, 0);
    own.forEach((weight, i) => {
      own[i] = weight / sum;
    });
  });
  return { first, each, weights };
}

/** One row of the photo averaged across to the working width, 0 to 1. */
class NarrowRow {
  readonly red = new Float32Array(FRAME_WIDTH);
  readonly green = new Float32Array(FRAME_WIDTH);
  readonly blue = new Float32Array(FRAME_WIDTH);
  /** Which row it is. */
  row = -1;

  read(data: Uint8Array, row: number, downStep: number, step: number, columns: Taps): void {
    this.row = row;
    if (columns.each === 3) narrowInThrees(data, row * downStep, step, columns, this);
    else narrow(data, row * downStep, step, columns, this);
  }
}

type Bands = Pick<Frame, 'red' | 'green' | 'blue'>;

function narrow(
  data: Uint8Array,
  start: number,
  step: number,
  { first, each, weights }: Taps,
  { red, green, blue }: Bands,
): void {
  for (let x = 0; x < FRAME_WIDTH; x++) {
    let at = start + (first[x] as number) * step;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let tap = x * each; tap < (x + 1) * each; tap++, at += step) {
      const weight = weights[tap] as number;
      r += weight * (data[at] as number);
      g += weight * (data[at + 1] as number);
      b += weight * (data[at + 2] as number);
    }
    red[x] = r / 255;
    green[x] = g / 255;
    blue[x] = b / 255;
  }
}

/** As {@link narrow}, for photos up to twice the working size: three taps written out take half the time. */
function narrowInThrees(
  data: Uint8Array,
  start: number,
  step: number,
  { first, weights }: Taps,
  { red, green, blue }: Bands,
): void {
  const scale = 1 / 255;
  for (let x = 0, tap = 0; x < FRAME_WIDTH; x++, tap += 3) {
    const u = weights[tap] as number;
    const v = weights[tap + 1] as number;
    const w = weights[tap + 2] as number;
    const a = start + (first[x] as number) * step;
    const b = a + step;
    const c = b + step;
    red[x] = (u * (data[a] as number) + v * (data[b] as number) + w * (data[c] as number)) * scale;
    green[x] =
      (u * (data[a + 1] as number) + v * (data[b + 1] as number) + w * (data[c + 1] as number)) * scale;
    blue[x] =
      (u * (data[a + 2] as number) + v * (data[b + 2] as number) + w * (data[c + 2] as number)) * scale;
  }
}

/**
 * The weighted sum of rows, rounded to single precision after each: pixels that are alike in a photo so stay alike
 * whatever the number of rows, which comparisons of neighbours depend on.
 */
function flatten(rows: readonly Float32Array[], weights: Float64Array, result: Float32Array): void {
  const one = rows[0] as Float32Array;
  const two = rows[1] ?? one;
  const a = weights[0] as number;
  const b = weights[1] ?? 0;
  for (let x = 0; x < result.length; x++) {
    result[x] = Math.fround(a * (one[x] as number)) + b * (two[x] as number);
  }
  for (let row = 2; row < rows.length; row++) {
    const weight = weights[row] as number;
    // Half of all rows have no weight here.
    if (weight === 0) continue;
    const more = rows[row] as Float32Array;
    for (let x = 0; x < result.length; x++) result[x] = (result[x] as number) + weight * (more[x] as number);
  }
}

/** The picture at half the width and height, each pixel the mean of four; sizes are even. */
export function halved(plane: Plane): Plane {
  const width = plane.width >> 1;
  const height = plane.height >> 1;
  const data = new Float32Array(width * height);
  const source = plane.data;
  for (let y = 0; y < height; y++) {
    const upper = 2 * y * plane.width;
    const lower = upper + plane.width;
    for (let x = 0; x < width; x++) {
      data[y * width + x] =
        ((source[upper + 2 * x] as number) +
          (source[upper + 2 * x + 1] as number) +
          (source[lower + 2 * x] as number) +
          (source[lower + 2 * x + 1] as number)) /
        4;
    }
  }
  return { width, height, data };
}

/** As {@link halved}, for a colour frame. */
export function halvedFrame(frame: Frame): Frame {
  const half = (data: Float32Array): Float32Array => halved({ ...frame, data }).data;
  const [red, green, blue] = [half(frame.red), half(frame.green), half(frame.blue)];
  return { width: frame.width >> 1, height: frame.height >> 1, red, green, blue };
}

/** Luma of ITU-R BT.601 over its mean over the picture, so that exposure drops out. */
export function relativeLight({ width, height, red, green, blue }: Frame): Plane {
  const data = new Float32Array(width * height);
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    const luma = 0.299 * (red[i] as number) + 0.587 * (green[i] as number) + 0.114 * (blue[i] as number);
    data[i] = luma;
    sum += Math.fround(luma);
  }
  const scale = 1 / Math.max(sum / data.length, 0.01);
  for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * scale;
  return { width, height, data };
}

/** A plane and its halvings, finest first. */
export function pyramid(finest: Plane, levels: number): Plane[] {
  const result = [finest];
  for (let level = 1; level < levels; level++) result.push(halved(result[level - 1] ?? finest));
  return result;
}
