import { type DescriptorGroup, namesOf } from './group.ts';
import type { Scene } from './scene.ts';
import { meanOf, momentsOf } from './statistics.ts';

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
    const { cover } = scene;
    const otsu = otsuSplit(scene.excessGreen, -0.5, 1);
    const width = scene.colour.width;
    return [
      meanOf(cover.green),
      meanOf(cover.brown),
      meanOf(cover.bare),
      meanOf(cover.shadow),
      otsu.shareAbove,
      otsu.contrast,
      ...patchiness(cover.green, width),
      ...patchiness(relative(scene.lab.lightness), width),
      Math.log(meanRun(cover.green, width, true, true)),
      Math.log(meanRun(cover.green, width, true, false)),
      Math.log(meanRun(cover.green, width, false, true)),
      ...leafColour(scene, cover.green),
      ...groundColour(scene, cover.green),
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
  const counts = new Float64Array(cells);
  for (let i = 0; i < values.length; i++) {
    const cell = Math.floor((((values[i] as number) - low) / (high - low)) * cells);
    const clamped = Math.min(cells - 1, Math.max(0, cell));
    counts[clamped] = (counts[clamped] as number) + 1;
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

function relative(values: Float32Array): Float32Array {
  const mean = meanOf(values);
  return values.map((value) => value / Math.max(mean, 1));
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

/** Mean length in pixels of stretches where the cover is above (or below) one half, at least ½. */
function meanRun(cover: Float32Array, width: number, inside: boolean, across: boolean): number {
  const height = cover.length / width;
  const lines = across ? height : width;
  const length = across ? width : height;
  const lineStep = across ? width : 1;
  const step = across ? 1 : width;
  let pixels = 0;
  let runs = 0;
  for (let line = 0; line < lines; line++) {
    let previous = false;
    for (let i = 0; i < length; i++) {
      const here = (cover[line * lineStep + i * step] as number) > 0.5 === inside;
      if (here) pixels++;
      if (here && !previous) runs++;
      previous = here;
    }
  }
  return runs === 0 ? 0.5 : pixels / runs;
}

/** Colour of the green parts: L* over the picture's, a*, b*, their deviations, and hue with its deviation. */
function leafColour(scene: Scene, green: Float32Array): number[] {
  const { lab } = scene;
  const picture = meanOf(lab.lightness);
  const lightness = weightedMoments(lab.lightness, green);
  const a = weightedMoments(lab.a, green);
  const b = weightedMoments(lab.b, green);
  const hue = lab.a.map((value, i) => Math.atan2(lab.b[i] as number, -value));
  const angle = weightedMoments(hue, green);
  return [
    lightness.mean / Math.max(picture, 1),
    a.mean,
    b.mean,
    lightness.deviation / Math.max(picture, 1),
    a.deviation,
    b.deviation,
    angle.mean,
    angle.deviation,
  ];
}

/** Colour of what is not green: L* over the picture's, a* and b*. */
function groundColour(scene: Scene, green: Float32Array): number[] {
  const rest = green.map((value) => 1 - value);
  const picture = meanOf(scene.lab.lightness);
  return [
    weightedMoments(scene.lab.lightness, rest).mean / Math.max(picture, 1),
    weightedMoments(scene.lab.a, rest).mean,
    weightedMoments(scene.lab.b, rest).mean,
  ];
}

/** Mean and deviation under weights; a little of the plain moments is mixed in, so an empty class is finite. */
function weightedMoments(values: Float32Array, weights: Float32Array): { mean: number; deviation: number } {
  const floor = 0.01;
  let total = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = (weights[i] as number) + floor;
    total += weight;
    sum += weight * (values[i] as number);
  }
  const mean = sum / total;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const apart = (values[i] as number) - mean;
    squares += ((weights[i] as number) + floor) * apart * apart;
  }
  return { mean, deviation: Math.sqrt(squares / total) };
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

function halfMeans(plane: Float32Array, { colour }: Scene): [number, number] {
  const middle = colour.width / 2;
  let left = 0;
  let right = 0;
  for (let i = 0; i < plane.length; i++) {
    if (i % colour.width < middle) left += plane[i] as number;
    else right += plane[i] as number;
  }
  return [left / (plane.length / 2), right / (plane.length / 2)];
}
