import type { DescriptorGroup } from './group.ts';
import { detail } from './octaves.ts';
import { momentsOf, skewnessOf } from './statistics.ts';

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
  measure({ light, greenness }) {
    const lightBands = light.map(detail);
    const greenBands = greenness.map(detail);
    const lightSd = lightBands.map((band) => momentsOf(band).deviation);
    const greenSd = greenBands.map((band) => momentsOf(band).deviation);
    const shape = centroidOf(lightSd);
    return [
      ...lightSd.map((sd) => Math.log(sd + 1e-3)),
      ...lightBands.map(skewnessOf),
      shape.centroid,
      shape.width,
      Math.log(lightSd.reduce((sum, sd) => sum + sd, 0) + 1e-3),
      ...greenSd.map((sd) => Math.log(sd + 1e-3)),
      ...greenBands.map(skewnessOf),
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
