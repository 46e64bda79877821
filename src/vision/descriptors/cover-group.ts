import { angleOf } from './curve.ts';
import { type DescriptorGroup, namesOf } from './group.ts';
import type { Scene } from './scene.ts';
import { meanOf, momentsFromSums, momentsOf } from './statistics.ts';

/** Cells of the coarse map of cover: about 4.4 cm, 16 across and 7 down less the odd rows at the edges. */
const CELL = 44;

/**
 * Cover by green leaf, brown litter, bare ground and deep shadow (shares of the picture, each pixel belonging
 * by degrees), how patchy the green is, the length of green stretches, and the colour of green and other parts.
 */
export const COVER_GROUP: DescriptorGroup = {
  names: [
    'cover.green',
    'cover.brown',
    'cover.bare',
    'cover.shadow',
    'cover.green-otsu',
    'cover.otsu-contrast',
    ...namesOf(['patch.green'], ['sd', 'q10', 'q90']),
    ...namesOf(['patch.light'], ['sd', 'q10', 'q90']),
    'run.green-across',
    'run.green-down',
    'run.other-across',
    ...namesOf(['leaf'], ['l', 'a', 'b', 'l-sd', 'a-sd', 'b-sd', 'hue', 'hue-sd']),
    ...namesOf(['ground'], ['l', 'a', 'b']),
  ],
  measure(scene) {
    const { cover, lab } = scene;
    const otsu = otsuSplit(scene.excessGreen, -0.5, 1);
    const width = scene.colour.width;
    const picture = Math.max(meanOf(lab.lightness), 1);
    const runs = meanRuns(cover.green, width);
    return [
      meanOf(cover.green),
      meanOf(cover.brown),
      meanOf(cover.bare),
      meanOf(cover.shadow),
      otsu.shareAbove,
      otsu.contrast,
      ...patchiness(cover.green, width),
      ...patchiness(lab.lightness, width).map((lightness) => lightness / picture),
      Math.log(runs.greenAcross),
      Math.log(runs.greenDown),
      Math.log(runs.otherAcross),
      ...colours(scene, picture),
    ];
  },
};

/** The split of values that separates two classes best (Otsu 1979): share above, and distance of the means. */
function otsuSplit(
  values: Float32Array,
  low: number,
  high: number,
): { shareAbove: number; contrast: number } {
  const cells = 256;
  const counts = new Int32Array(cells);
  for (let i = 0; i < values.length; i++) {
    const place = (((values[i] as number) - low) / (high - low)) * cells;
    const cell = Math.min(cells - 1, Math.max(0, place)) | 0;
    counts[cell] = (counts[cell] as number) + 1;
  }
  const total = values.length;
  let totalSum = 0;
  for (let cell = 0; cell < cells; cell++) totalSum += cell * (counts[cell] as number);
  let below = 0;
  let belowSum = 0;
  let best = { shareAbove: 0, contrast: 0, score: -1 };
  for (let cell = 0; cell < cells - 1; cell++) {
    below += counts[cell] as number;
    belowSum += cell * (counts[cell] as number);
    const above = total - below;
    if (below === 0 || above === 0) continue;
    const distance = (totalSum - belowSum) / above - belowSum / below;
    const score = below * above * distance * distance;
    if (score > best.score) {
      best = { shareAbove: above / total, contrast: (distance * (high - low)) / cells, score };
    }
  }
  return { shareAbove: best.shareAbove, contrast: best.contrast };
}

/** Spread of cell means over the picture; the cells are centred so that a mirrored picture has the same. */
function patchiness(values: Float32Array, width: number): number[] {
  const height = values.length / width;
  const across = Math.floor(width / CELL);
  const down = Math.max(1, Math.floor(height / CELL));
  const left = Math.floor((width - across * CELL) / 2);
  const top = Math.floor((height - down * CELL) / 2);
  const means = new Float32Array(across * down);
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      let sum = 0;
      for (let y = 0; y < CELL; y++) {
        const from = (top + row * CELL + y) * width + left + column * CELL;
        for (let x = 0; x < CELL; x++) sum += values[from + x] as number;
      }
      means[row * across + column] = sum / (CELL * CELL);
    }
  }
  const sorted = means.slice().sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  return [momentsOf(means).deviation, at(0.1), at(0.9)];
}

/** Mean lengths in pixels, at least ½, of stretches where the cover is above one half, and of the others across. */
function meanRuns(
  cover: Float32Array,
  width: number,
): { readonly greenAcross: number; readonly greenDown: number; readonly otherAcross: number } {
  const height = cover.length / width;
  const above = new Uint8Array(width);
  let pixels = 0;
  let greenAcross = 0;
  let greenDown = 0;
  let otherAcross = 0;
  for (let y = 0; y < height; y++) {
    // Neither kind goes on from the end of the row before.
    let green = 0;
    let other = 0;
    for (let x = 0; x < width; x++) {
      const here = Number((cover[y * width + x] as number) > 0.5);
      pixels += here;
      greenAcross += here & (1 - green);
      otherAcross += (1 - here) & (1 - other);
      greenDown += here & (1 - (above[x] as number));
      green = here;
      other = 1 - here;
      above[x] = here;
    }
  }
  const length = (count: number, runs: number): number => (runs === 0 ? 0.5 : count / runs);
  return {
    greenAcross: length(pixels, greenAcross),
    greenDown: length(pixels, greenDown),
    otherAcross: length(cover.length - pixels, otherAcross),
  };
}

/**
 * Colour of the green parts: L* over the picture's, a*, b*, their deviations, and hue with its deviation; then of
 * what is not green: L* over the picture's, a* and b*.
 *
 * @param picture mean L* of the picture, at least 1
 */
function colours({ lab, cover }: Scene, picture: number): number[] {
  const hue = new Float32Array(lab.a.length);
  for (let i = 0; i < hue.length; i++) hue[i] = angleOf(lab.b[i] as number, -(lab.a[i] as number));
  const lightness = sharedMoments(lab.lightness, cover.green);
  const a = sharedMoments(lab.a, cover.green);
  const b = sharedMoments(lab.b, cover.green);
  const angle = sharedMoments(hue, cover.green);
  return [
    lightness.inside.mean / picture,
    a.inside.mean,
    b.inside.mean,
    lightness.inside.deviation / picture,
    a.inside.deviation,
    b.inside.deviation,
    angle.inside.mean,
    angle.inside.deviation,
    lightness.outside / picture,
    a.outside,
    b.outside,
  ];
}

/**
 * Mean and deviation of the part of each pixel that is inside, and mean of the part outside; a little of the plain
 * moments is mixed in, so an empty part is finite.
 */
function sharedMoments(
  values: Float32Array,
  shares: Float32Array,
): { readonly inside: { readonly mean: number; readonly deviation: number }; readonly outside: number } {
  const floor = 0.01;
  const origin = values[0] as number;
  let weights = 0;
  let sum = 0;
  let squares = 0;
  let all = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = (shares[i] as number) + floor;
    const apart = (values[i] as number) - origin;
    weights += weight;
    all += apart;
    sum += weight * apart;
    squares += weight * apart * apart;
  }
  // The weight outside is one less the share, plus the same floor.
  const both = 1 + 2 * floor;
  const outside = (both * all - sum) / (both * values.length - weights);
  return {
    inside: momentsFromSums(weights, origin, { sum, squares, cubes: 0 }),
    outside: origin + outside,
  };
}

const SUBJECTS = ['green', 'brown', 'bare', 'shadow', 'exg', 'lightness', 'a', 'b', 'saturation'] as const;

/**
 * The left and the right half each by itself: mean of the two (`both`) and absolute difference (`apart`) of the
 * covers and of mean colour. Neither changes when the photo is mirrored.
 */
export const HALVES_GROUP: DescriptorGroup = {
  names: namesOf(
    SUBJECTS.map((subject) => `halves-${subject}`),
    ['both', 'apart'],
  ),
  measure(scene) {
    const { cover } = scene;
    const { lightness, a, b } = scene.lab;
    const planes = [
      cover.green,
      cover.brown,
      cover.bare,
      cover.shadow,
      scene.excessGreen,
      lightness,
      a,
      b,
      scene.hsv.saturation,
    ];
    return planes.flatMap((plane) => {
      const [left, right] = halfMeans(plane, scene);
      return [(left + right) / 2, Math.abs(left - right)];
    });
  },
};

function halfMeans(plane: Float32Array, { colour: { width, height } }: Scene): [number, number] {
  const middle = width / 2;
  let left = 0;
  let right = 0;
  for (let y = 0; y < height; y++) {
    for (let i = y * width; i < y * width + middle; i++) {
      left += plane[i] as number;
      right += plane[i + middle] as number;
    }
  }
  return [left / (plane.length / 2), right / (plane.length / 2)];
}
