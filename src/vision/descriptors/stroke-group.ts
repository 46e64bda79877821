import type { Plane } from './frame.ts';
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
    const tensors = STREAK_LEVELS.map((level) => structureTensor(light.plane(level)));
    return [
      ...tensors.flatMap(({ windows }) => [coherence(windows), upright(windows)]),
      ...tensors.slice(0, WIDE_LEVELS.length).map(({ windows }) => coherence(paired(windows))),
      ...tensors.map((tensor) => Math.log(tensor.meanMagnitude + 1e-3)),
    ];
  },
};

/** Sums of products of central differences over square windows of a picture. */
interface Windows {
  readonly across: number;
  readonly down: number;
  readonly xx: Float64Array;
  readonly yy: Float64Array;
  readonly xy: Float64Array;
}

/** Side of a window in pixels; the pictures' sides are multiples of it. */
const WINDOW = 4;

/** The structure tensor over windows, and the mean strength of the gradient; the picture's border counts as even. */
function structureTensor({ width, height, data }: Plane): {
  readonly windows: Windows;
  readonly meanMagnitude: number;
} {
  const windows = emptyWindows(width / WINDOW, height / WINDOW);
  const { across, xx, yy, xy } = windows;
  let magnitude = 0;
  for (let y = 1; y < height - 1; y++) {
    const row = Math.floor(y / WINDOW) * across;
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const dx = ((data[i + 1] as number) - (data[i - 1] as number)) / 2;
      const dy = ((data[i + width] as number) - (data[i - width] as number)) / 2;
      const window = row + ((x / WINDOW) | 0);
      xx[window] = (xx[window] as number) + dx * dx;
      yy[window] = (yy[window] as number) + dy * dy;
      xy[window] = (xy[window] as number) + dx * dy;
      magnitude += Math.sqrt(dx * dx + dy * dy);
    }
  }
  return { windows, meanMagnitude: magnitude / ((width - 2) * (height - 2)) };
}

function emptyWindows(across: number, down: number): Windows {
  const make = (): Float64Array => new Float64Array(across * down);
  return { across, down, xx: make(), yy: make(), xy: make() };
}

/** Windows of twice the side. */
function paired(windows: Windows): Windows {
  const result = emptyWindows(windows.across >> 1, windows.down >> 1);
  for (let y = 0; y < 2 * result.down; y++) {
    for (let x = 0; x < 2 * result.across; x++) {
      const from = y * windows.across + x;
      const to = (y >> 1) * result.across + (x >> 1);
      for (const name of ['xx', 'yy', 'xy'] as const) {
        result[name][to] = (result[name][to] as number) + (windows[name][from] as number);
      }
    }
  }
  return result;
}

/** How much of the gradient's energy, taken window by window, has one direction. */
function coherence({ xx, yy, xy }: Windows): number {
  let directed = 0;
  let energy = 0;
  for (let i = 0; i < xx.length; i++) {
    const a = xx[i] as number;
    const b = yy[i] as number;
    const apart = a - b;
    const mixed = 2 * (xy[i] as number);
    directed += Math.sqrt(apart * apart + mixed * mixed);
    energy += a + b;
  }
  return energy < FLAT ? 0 : directed / energy;
}

/** Energy of a gradient summed over a picture that has none. */
const FLAT = 1e-9;

/** (vertical detail − horizontal detail) over their sum: the same in a mirrored picture. */
function upright({ xx, yy }: Windows): number {
  let across = 0;
  let down = 0;
  for (let i = 0; i < xx.length; i++) {
    across += xx[i] as number;
    down += yy[i] as number;
  }
  return across + down < FLAT ? 0 : (across - down) / (across + down);
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
  measure(scene) {
    const greenness = scene.tint('green');
    return [
      ...BLOB_LEVELS.flatMap((level) => {
        const spots = roundness(scene.light.plane(level));
        return [spots.bright, spots.dark, spots.brightShare];
      }),
      ...BLOB_LEVELS.map((level) => roundness(greenness.plane(level - 1)).bright),
    ];
  },
};

function roundness({ width, height, data }: Plane): { bright: number; dark: number; brightShare: number } {
  let brightSmall = 1e-6;
  let brightLarge = 2e-6;
  let allSmall = 2e-6;
  let allLarge = 4e-6;
  for (let y = 1; y < height - 1; y++) {
    let i = y * width + 1;
    // Columns move along, so that each pixel is read once a row and not three times.
    let left = data[i - 1] as number;
    let leftApart = (data[i - 1 - width] as number) - (data[i - 1 + width] as number);
    let centre = data[i] as number;
    let above = data[i - width] as number;
    let below = data[i + width] as number;
    for (const end = (y + 1) * width - 1; i < end; i++) {
      const nextAbove = data[i + 1 - width] as number;
      const next = data[i + 1] as number;
      const nextBelow = data[i + 1 + width] as number;
      const nextApart = nextAbove - nextBelow;
      const xx = left + next - 2 * centre;
      const yy = above + below - 2 * centre;
      const xy = (leftApart - nextApart) / 4;
      const mean = (xx + yy) / 2;
      const apart = (xx - yy) / 2;
      const radius = Math.sqrt(apart * apart + xy * xy);
      const size = Math.abs(mean);
      // Without branches or Math.max: no processor guesses the sign of a picture's curvature.
      brightLarge += Number(mean < 0) * (radius - mean);
      brightSmall += positivePart(-mean - radius);
      allLarge += radius + size;
      allSmall += positivePart(size - radius);
      left = centre;
      leftApart = above - below;
      centre = next;
      above = nextAbove;
      below = nextBelow;
    }
  }
  return {
    bright: brightSmall / brightLarge,
    dark: (allSmall - brightSmall) / (allLarge - brightLarge),
    brightShare: brightLarge / allLarge,
  };
}

function positivePart(value: number): number {
  return (value + Math.abs(value)) / 2;
}
