import type { Pixels } from '../photos/decode.ts';

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
  const narrow = narrowed(pixels.data, { columns, acrossStep, downStep, down });
  return {
    width: FRAME_WIDTH,
    height: FRAME_HEIGHT,
    red: flattened(narrow.red, rows),
    green: flattened(narrow.green, rows),
    blue: flattened(narrow.blue, rows),
  };
}

/** For each output position: the first input, how many inputs, and their weights (summing to one). */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
  readonly widest: number;
}

function areaTaps(inputs: number, outputs: number): Taps {
  // Margins stay within the picture, however few pixels it has.
  const margin = inputs * MARGIN;
  const span = (inputs - 2 * margin) / outputs;
  const widest = Math.ceil(span) + 2;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Float64Array(outputs * widest);
  for (let out = 0; out < outputs; out++) {
    const from = margin + out * span;
    const to = margin + (out + 1) * span;
    const start = Math.min(inputs - 1, Math.floor(from));
    const end = Math.min(inputs, Math.max(start + 1, Math.ceil(to)));
    first[out] = start;
    count[out] = end - start;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const weight = Math.max(1e-12, Math.min(to, i + 1) - Math.max(from, i));
      weights[out * widest + i - start] = weight;
      sum += weight;
    }
    for (let i = 0; i < end - start; i++) {
      weights[out * widest + i] = (weights[out * widest + i] as number) / sum;
    }
  }
  return { first, count, weights, widest };
}

interface Grid {
  readonly columns: Taps;
  /** Steps in the data to the next pixel across and to the next down. */
  readonly acrossStep: number;
  readonly downStep: number;
  readonly down: number;
}

/** The three bands averaged across to the working width, 0 to 1. */
function narrowed(data: Uint8Array, grid: Grid): Pick<Frame, 'red' | 'green' | 'blue'> {
  const { columns, acrossStep, downStep, down } = grid;
  const { first, count, weights, widest } = columns;
  const red = new Float32Array(FRAME_WIDTH * down);
  const green = new Float32Array(FRAME_WIDTH * down);
  const blue = new Float32Array(FRAME_WIDTH * down);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < FRAME_WIDTH; x++) {
      const taps = count[x] as number;
      let at = y * downStep + (first[x] as number) * acrossStep;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let i = 0; i < taps; i++, at += acrossStep) {
        const weight = weights[x * widest + i] as number;
        r += weight * (data[at] as number);
        g += weight * (data[at + 1] as number);
        b += weight * (data[at + 2] as number);
      }
      const to = y * FRAME_WIDTH + x;
      red[to] = r / 255;
      green[to] = g / 255;
      blue[to] = b / 255;
    }
  }
  return { red, green, blue };
}

/** One band averaged down to the working height. */
function flattened(narrow: Float32Array, rows: Taps): Float32Array {
  const result = new Float32Array(FRAME_WIDTH * FRAME_HEIGHT);
  for (let y = 0; y < FRAME_HEIGHT; y++) {
    const start = rows.first[y] as number;
    const taps = rows.count[y] as number;
    for (let i = 0; i < taps; i++) {
      const weight = rows.weights[y * rows.widest + i] as number;
      const from = (start + i) * FRAME_WIDTH;
      const to = y * FRAME_WIDTH;
      for (let x = 0; x < FRAME_WIDTH; x++) {
        result[to + x] = (result[to + x] as number) + weight * (narrow[from + x] as number);
      }
    }
  }
  return result;
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

/** One number of each pixel's colour. */
export function ofColours(
  { red, green, blue }: Frame,
  of: (red: number, green: number, blue: number) => number,
): Float32Array {
  const result = new Float32Array(red.length);
  for (let i = 0; i < result.length; i++) {
    result[i] = of(red[i] as number, green[i] as number, blue[i] as number);
  }
  return result;
}

/** Luma of ITU-R BT.601, 0 to 1. */
export function luma(frame: Frame): Plane {
  const data = ofColours(frame, (red, green, blue) => 0.299 * red + 0.587 * green + 0.114 * blue);
  return { width: frame.width, height: frame.height, data };
}

/** The picture less its blur by 1-2-1 in both directions; the border pixels are left out. */
export function detail({ width, height, data }: Plane): Float32Array {
  const inner = new Float32Array((width - 2) * (height - 2));
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const sides =
        (data[i - 1] as number) +
        (data[i + 1] as number) +
        ((data[i - width] as number) + (data[i + width] as number));
      const corners =
        (data[i - width - 1] as number) +
        (data[i - width + 1] as number) +
        ((data[i + width - 1] as number) + (data[i + width + 1] as number));
      inner[(y - 1) * (width - 2) + x - 1] = 0.75 * (data[i] as number) - 0.125 * sides - 0.0625 * corners;
    }
  }
  return inner;
}

/** A plane and its halvings, finest first. */
export function pyramid(finest: Plane, levels: number): Plane[] {
  const result = [finest];
  for (let level = 1; level < levels; level++) result.push(halved(result[level - 1] ?? finest));
  return result;
}
