import { halved, type Plane } from './frame.ts';
import type { DescriptorGroup } from './group.ts';
import type { Octaves } from './scene.ts';

const LEVELS = 5;
const ANGLES = ['along', 'oblique', 'across'] as const;
const PAIRS = Array.from({ length: LEVELS }, (_, fine) =>
  Array.from({ length: LEVELS - 1 - fine }, (_, more) => [fine, fine + 1 + more] as const),
).flat();

/**
 * Scattering of relative light (after Bruna and Mallat 2013, with small oriented stencils on a pyramid): first,
 * the log mean strength of oriented structure at five octaves from 1 mm a pixel; second, how much that strength
 * itself varies at each coarser octave, along, oblique or across the structure. The first says how coarse leaves
 * are, the second how they are arranged: tufts, layers, open patches.
 */
export const SCATTERING_GROUP: DescriptorGroup = {
  names: [
    ...Array.from({ length: LEVELS }, (_, level) => `scatter-first.${level}`),
    ...PAIRS.flatMap(([fine, coarse]) => ANGLES.map((angle) => `scatter-second.${fine}${coarse}-${angle}`)),
  ],
  measure({ light }) {
    return scatter(light);
  },
};

function scatter(light: Octaves): number[] {
  const first: number[] = [];
  const second = new Map<string, number>();
  for (let fine = 0; fine < LEVELS; fine++) {
    const level = light.plane(fine + 1);
    const responses = ORIENTATIONS.map((orientation) => {
      const data = new Float32Array(level.data.length);
      const plane: Plane = { ...level, data };
      return { plane, mean: envelope(level, orientation, data) };
    });
    const strength = responses.reduce((sum, { mean }) => sum + mean, 0) / 4 + 1e-4;
    first.push(Math.log(strength));
    responses.forEach((response, orientation) => {
      let { plane } = response;
      for (let coarse = fine + 1; coarse < LEVELS; coarse++) {
        plane = halved(plane);
        for (const other of ORIENTATIONS) {
          const turned = Math.abs(orientation - other);
          const angle = turned === 0 ? 'along' : turned === 2 ? 'across' : 'oblique';
          const key = `${fine}${coarse}-${angle}`;
          const share = envelope(plane, other) / strength / (angle === 'oblique' ? 8 : 4);
          second.set(key, (second.get(key) ?? 0) + share);
        }
      }
    });
  }
  return [
    ...first,
    ...PAIRS.flatMap(([fine, coarse]) =>
      ANGLES.map((angle) => Math.log((second.get(`${fine}${coarse}-${angle}`) ?? 0) + 1e-4)),
    ),
  ];
}

/** 0°, 45°, 90° and 135°. */
const ORIENTATIONS = [0, 1, 2, 3] as const;
/** Pixels at each border that have no envelope, their stencil reaching beyond the picture. */
const BORDER = 3;

/**
 * Modulus of an even and an odd derivative along an orientation, smoothed across.
 *
 * @param result where to put it, at first all zero: so the border stays
 * @returns its mean, the border counted as zero
 */
function envelope(
  { width, height, data }: Plane,
  orientation: (typeof ORIENTATIONS)[number],
  result?: Float32Array,
): number {
  // 135° is gone along upwards: the same as downwards but for the sign of the odd derivative, which is squared.
  const right = [1, 1, 0, -1][orientation] as number;
  const down = orientation === 0 ? 0 : 1;
  const across = [width, width - 1, 1, width + 1][orientation] as number;
  const kept = Array.from({ length: 4 * down + 1 }, () => smoothedRow(width, right));
  const keptRow = (y: number): SmoothedRow => kept[y % kept.length] as SmoothedRow;
  const unwanted = new Float32Array(width);
  let sum = 0;
  if (down === 1) for (let y = 1; y < 5; y++) smooth(data, y * width, across, keptRow(y).here);
  for (let y = BORDER; y < height - BORDER; y++) {
    smooth(data, (y + 2 * down) * width, across, keptRow(y + 2 * down).here);
    sum += modulus(
      keptRow(y - 2 * down).far,
      keptRow(y - down).before,
      keptRow(y).here,
      keptRow(y + down).after,
      keptRow(y + 2 * down).beyond,
      result?.subarray(y * width, (y + 1) * width) ?? unwanted,
    );
  }
  return sum / data.length;
}

/** One row, seen from two and one steps along before and after: so that all are asked for one place. */
type SmoothedRow = Readonly<Record<'far' | 'before' | 'here' | 'after' | 'beyond', Float64Array>>;

function smoothedRow(width: number, right: number): SmoothedRow {
  const reach = 2;
  const row = new Float64Array(width + 2 * reach);
  const seen = (steps: number): Float64Array =>
    row.subarray(reach + steps * right, reach + steps * right + width);
  return { far: seen(-2), before: seen(-1), here: seen(0), after: seen(1), beyond: seen(2) };
}

/** A row smoothed 1-2-1 across, but for its first and last pixel, which no stencil reaches. */
function smooth(data: Float32Array, start: number, across: number, row: Float64Array): void {
  for (let x = 1; x < row.length - 1; x++) {
    const i = start + x;
    row[x] = ((data[i - across] as number) + 2 * (data[i] as number) + (data[i + across] as number)) / 4;
  }
}

/** The envelope of a row from smoothed ones; its sum is returned. */
function modulus(
  far: Float64Array,
  before: Float64Array,
  here: Float64Array,
  after: Float64Array,
  beyond: Float64Array,
  result: Float32Array,
): number {
  let sum = 0;
  for (let x = BORDER; x < result.length - BORDER; x++) {
    const one = before[x] as number;
    const other = after[x] as number;
    const odd = (other - one) * 0.7 + ((beyond[x] as number) - (far[x] as number)) * 0.15;
    const even = (here[x] as number) - 0.5 * (one + other);
    const value = Math.sqrt(odd * odd + even * even * 2);
    result[x] = value;
    sum += value;
  }
  return sum;
}
