import { softStep } from './cover.ts';
import type { DescriptorGroup } from './group.ts';
import { momentsOf, quantilesOf } from './statistics.ts';

/**
 * Distribution of light over its mean: deviation and quantiles at 1 mm a pixel, quantiles at 8 mm, and the share
 * of deep shadow and of glare. Tall swards throw deep shadows between their leaves.
 */
export const LIGHT_GROUP: DescriptorGroup = {
  names: [
    'light.sd',
    ...['q02', 'q10', 'q25', 'q50', 'q75', 'q90', 'q98'].map((name) => `light.${name}`),
    ...['q10', 'q50', 'q90'].map((name) => `light-coarse.${name}`),
    'light.dark',
    'light.bright',
  ],
  measure({ light }) {
    const fine = light[1]?.data ?? new Float32Array(1);
    const coarse = light[4]?.data ?? fine;
    let dark = 0;
    let bright = 0;
    for (let i = 0; i < fine.length; i++) {
      dark += 1 - softStep(fine[i] as number, 0.4, 0.05);
      bright += softStep(fine[i] as number, 1.7, 0.1);
    }
    return [
      momentsOf(fine).deviation,
      ...quantilesOf(fine, 0, 5, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]),
      ...quantilesOf(coarse, 0, 5, [0.1, 0.5, 0.9]),
      dark / fine.length,
      bright / fine.length,
    ];
  },
};
