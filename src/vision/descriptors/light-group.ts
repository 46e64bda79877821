import type { DescriptorGroup } from './group.ts';
import { softStep } from './scene.ts';
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
    const fine = light.plane(1).data;
    const coarse = light.plane(4).data;
    let dark = 0;
    let bright = 0;
    for (let i = 0; i < fine.length; i++) {
      dark += 1 - softStep(fine[i] as number, 0.4, 1 / 0.05);
      bright += softStep(fine[i] as number, 1.7, 1 / 0.1);
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

const LIGHT_LEVELS = [0, 1, 2, 3, 4, 5] as const;
const GREEN_LEVELS = [0, 1, 2, 3, 4] as const;

/**
 * Detail by size: the picture less its 3×3 binomial blur at each octave (0.5 mm to 16 mm a pixel), as log
 * deviation and skewness, for relative light and for excess green, with where on the size axis the detail lies.
 */
export const BAND_GROUP: DescriptorGroup = {
  names: [
    ...LIGHT_LEVELS.map((level) => `band-light${level}.log-sd`),
    ...LIGHT_LEVELS.map((level) => `band-light${level}.skew`),
    'band-light.centroid',
    'band-light.width',
    'band-light.log-total',
    ...GREEN_LEVELS.map((level) => `band-green${level}.log-sd`),
    ...GREEN_LEVELS.map((level) => `band-green${level}.skew`),
    'band-green.centroid',
  ],
  measure(scene) {
    const greenness = scene.tint('green');
    const lightBands = LIGHT_LEVELS.map((level) => scene.light.detail(level));
    const greenBands = GREEN_LEVELS.map((level) => greenness.detail(level));
    const lightSd = lightBands.map(({ deviation }) => deviation);
    const greenSd = greenBands.map(({ deviation }) => deviation);
    const shape = centroidOf(lightSd);
    return [
      ...lightSd.map((sd) => Math.log(sd + 1e-3)),
      ...lightBands.map(({ skewness }) => skewness),
      shape.centroid,
      shape.width,
      Math.log(lightSd.reduce((sum, sd) => sum + sd, 0) + 1e-3),
      ...greenSd.map((sd) => Math.log(sd + 1e-3)),
      ...greenBands.map(({ skewness }) => skewness),
      centroidOf(greenSd).centroid,
    ];
  },
};

function centroidOf(deviations: readonly number[]): { centroid: number; width: number } {
  const total = deviations.reduce((sum, sd) => sum + sd + 1e-6, 0);
  const centroid = deviations.reduce((sum, sd, level) => sum + level * (sd + 1e-6), 0) / total;
  const variance =
    deviations.reduce((sum, sd, level) => sum + (level - centroid) ** 2 * (sd + 1e-6), 0) / total;
  return { centroid, width: Math.sqrt(variance) };
}
