import type { Plane } from './frame.ts';
import type { DescriptorGroup } from './group.ts';

const BLOB_LEVELS = [1, 2, 3, 4] as const;

/**
 * Roundness of bright and of dark spots at four octaves (leaflets are round, blades are not): from the
 * eigenvalues of the Hessian, the sum of the smaller over the sum of the larger (0 streaks, 1 discs), over
 * pixels whose curvature has the spot's sign, and the share of curvature that is bright.
 */
export const BLOB_GROUP: DescriptorGroup = {
  names: [
    ...BLOB_LEVELS.flatMap((level) => [
      `blob-light${level}.bright-round`,
      `blob-light${level}.dark-round`,
      `blob-light${level}.bright-share`,
    ]),
    ...BLOB_LEVELS.map((level) => `blob-green${level}.bright-round`),
  ],
  measure({ light, greenness }) {
    return [
      ...BLOB_LEVELS.flatMap((level) => {
        const spots = roundness(light[level] as Plane);
        return [spots.bright, spots.dark, spots.brightShare];
      }),
      ...BLOB_LEVELS.map((level) => roundness(greenness[level - 1] as Plane).bright),
    ];
  },
};

function roundness({ width, height, data }: Plane): { bright: number; dark: number; brightShare: number } {
  let brightSmall = 1e-6;
  let brightLarge = 2e-6;
  let darkSmall = 1e-6;
  let darkLarge = 2e-6;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const centre = data[i] as number;
      const xx = (data[i - 1] as number) + (data[i + 1] as number) - 2 * centre;
      const yy = (data[i - width] as number) + (data[i + width] as number) - 2 * centre;
      const xy =
        ((data[i - width - 1] as number) +
          (data[i + width + 1] as number) -
          ((data[i - width + 1] as number) + (data[i + width - 1] as number))) /
        4;
      const mean = (xx + yy) / 2;
      const radius = Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy);
      if (mean < 0) {
        brightLarge += radius - mean;
        brightSmall += Math.max(0, -mean - radius);
      } else {
        darkLarge += radius + mean;
        darkSmall += Math.max(0, mean - radius);
      }
    }
  }
  return {
    bright: brightSmall / brightLarge,
    dark: darkSmall / darkLarge,
    brightShare: brightLarge / (brightLarge + darkLarge),
  };
}
