import { halved, type Plane, pyramid } from './frame.ts';
import type { DescriptorGroup } from './group.ts';
import { meanOf } from './statistics.ts';

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
    return scatter(light[1] as Plane);
  },
};

function scatter(finest: Plane): number[] {
  const levels = pyramid(finest, LEVELS);
  const first: number[] = [];
  const second = new Map<string, number>();
  for (let fine = 0; fine < LEVELS; fine++) {
    const responses = [0, 1, 2, 3].map((orientation) => envelope(levels[fine] as Plane, orientation));
    const strength = responses.reduce((sum, plane) => sum + meanOf(plane.data), 0) / 4 + 1e-4;
    first.push(Math.log(strength));
    responses.forEach((response, orientation) => {
      let plane = response;
      for (let coarse = fine + 1; coarse < LEVELS; coarse++) {
        plane = halved(plane);
        for (let other = 0; other < 4; other++) {
          const turned = Math.abs(orientation - other);
          const angle = turned === 0 ? 'along' : turned === 2 ? 'across' : 'oblique';
          const key = `${fine}${coarse}-${angle}`;
          const share = meanOf(envelope(plane, other).data) / strength / (angle === 'oblique' ? 8 : 4);
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

/** Modulus of an even and an odd derivative along 0°, 45°, 90° or 135°, smoothed across. */
function envelope({ width, height, data }: Plane, orientation: number): Plane {
  const dx = orientation === 2 ? 0 : 1;
  const dy = orientation === 0 ? 0 : orientation === 3 ? -1 : 1;
  const along = dy * width + dx;
  const across =
    orientation === 0 ? width : orientation === 2 ? 1 : orientation === 1 ? width - 1 : width + 1;
  const result = new Float32Array(width * height);
  const at = (i: number): number =>
    ((data[i - across] as number) + 2 * (data[i] as number) + (data[i + across] as number)) / 4;
  for (let y = 3; y < height - 3; y++) {
    for (let x = 3; x < width - 3; x++) {
      const i = y * width + x;
      const before = at(i - along);
      const after = at(i + along);
      const odd = (after - before) * 0.7 + (at(i + 2 * along) - at(i - 2 * along)) * 0.15;
      const even = at(i) - 0.5 * (before + after);
      result[i] = Math.sqrt(odd * odd + even * even * 2);
    }
  }
  return { width, height, data: result };
}
