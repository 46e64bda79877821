import { halved, type Plane } from './frame.ts';
import type { DescriptorGroup } from './group.ts';

const STREAK_LEVELS = [1, 2, 3] as const;
/** A third halving of level 3 would lose a row, and with it the symmetry of upside down. */
const WIDE_LEVELS = [1, 2] as const;

/**
 * How streaky the picture is: coherence of the structure tensor (Jähne; 0 no direction, 1 one direction) over
 * windows of four pixels at three octaves (wide: of eight at two), weighted by gradient energy, and how much of the whole lies along
 * one direction. Grass blades give high, clover leaflets low coherence.
 */
export const STREAK_GROUP: DescriptorGroup = {
  names: [
    ...STREAK_LEVELS.flatMap((level) => [`streak${level}.coherence`, `streak${level}.upright`]),
    ...WIDE_LEVELS.map((level) => `streak${level}.coherence-wide`),
    ...STREAK_LEVELS.map((level) => `gradient${level}.log-mean`),
  ],
  measure({ light }) {
    const tensors = STREAK_LEVELS.map((level) => structureTensor(light[level] as Plane));
    return [
      ...tensors.flatMap((tensor) => [coherence(tensor, 2), upright(tensor)]),
      ...tensors.slice(0, WIDE_LEVELS.length).map((tensor) => coherence(tensor, 3)),
      ...tensors.map((tensor) => Math.log(tensor.meanMagnitude + 1e-3)),
    ];
  },
};

interface Tensor {
  readonly xx: Plane;
  readonly yy: Plane;
  readonly xy: Plane;
  readonly meanMagnitude: number;
}

/** Products of central differences; borders are zero, sizes stay even for halving. */
function structureTensor({ width, height, data }: Plane): Tensor {
  const make = (): Float32Array => new Float32Array(width * height);
  const [xx, yy, xy] = [make(), make(), make()];
  let magnitude = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const dx = ((data[i + 1] as number) - (data[i - 1] as number)) / 2;
      const dy = ((data[i + width] as number) - (data[i - width] as number)) / 2;
      xx[i] = dx * dx;
      yy[i] = dy * dy;
      xy[i] = dx * dy;
      magnitude += Math.sqrt(dx * dx + dy * dy);
    }
  }
  const plane = (values: Float32Array): Plane => ({ width, height, data: values });
  return {
    xx: plane(xx),
    yy: plane(yy),
    xy: plane(xy),
    meanMagnitude: magnitude / ((width - 2) * (height - 2)),
  };
}

function coherence(tensor: Tensor, halvings: number): number {
  let { xx, yy, xy } = tensor;
  for (let i = 0; i < halvings; i++) {
    xx = halved(xx);
    yy = halved(yy);
    xy = halved(xy);
  }
  let directed = 0;
  let energy = 0;
  for (let i = 0; i < xx.data.length; i++) {
    const a = xx.data[i] as number;
    const b = yy.data[i] as number;
    directed += Math.hypot(a - b, 2 * (xy.data[i] as number));
    energy += a + b;
  }
  return energy < 1e-9 ? 0 : directed / energy;
}

/** (vertical detail − horizontal detail) over their sum: the same in a mirrored picture. */
function upright({ xx, yy }: Tensor): number {
  let across = 0;
  let down = 0;
  for (let i = 0; i < xx.data.length; i++) {
    across += xx.data[i] as number;
    down += yy.data[i] as number;
  }
  return across + down < 1e-9 ? 0 : (across - down) / (across + down);
}

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
