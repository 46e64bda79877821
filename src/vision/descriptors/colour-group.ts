import { curve } from './curve.ts';
import { type DescriptorGroup, namesOf } from './group.ts';
import { INDEX_NAMES, INDICES, otherIndices } from './indices.ts';
import type { Scene } from './scene.ts';
import { momentsOf, quantilesOf } from './statistics.ts';

const SPREAD = ['mean', 'sd', 'q10', 'q50', 'q90'] as const;

/** Mean, deviation and deciles of L*, a*, b*, saturation and value; mean and deviation of chromaticities. */
export const COLOUR_GROUP: DescriptorGroup = {
  names: [
    ...namesOf(['chroma-r', 'chroma-g', 'chroma-b'], ['mean', 'sd']),
    ...namesOf(['lab-l', 'lab-a', 'lab-b', 'saturation', 'value'], SPREAD),
    'hue.green-yellow',
    'hue.red-cyan',
  ],
  measure(scene) {
    const { lab, hsv } = scene;
    return [
      ...chromaticities(scene),
      ...spread(lab.lightness, 0, 100),
      ...spread(lab.a, -100, 100),
      ...spread(lab.b, -100, 100),
      ...spread(hsv.saturation, 0, 1),
      ...spread(hsv.value, 0, 1),
      ...meanHue(scene),
    ];
  },
};

/** Mean, deviation and deciles of each vegetation index of {@link INDICES}. */
export const INDEX_GROUP: DescriptorGroup = {
  names: namesOf(INDEX_NAMES, SPREAD),
  measure(scene) {
    const planes = { exg: scene.excessGreen, ngrdi: scene.ngrdi, ...otherIndices(scene.colour) };
    return INDEX_NAMES.flatMap((name) => spread(planes[name], INDICES[name].low, INDICES[name].high));
  },
};

function spread(values: Float32Array, low: number, high: number): number[] {
  const { mean, deviation } = momentsOf(values);
  return [mean, deviation, ...quantilesOf(values, low, high, [0.1, 0.5, 0.9])];
}

/** Mean and deviation of each band's share of the three, a third each where a pixel is black. */
function chromaticities({ colour: { red, green, blue } }: Scene): number[] {
  const shares = [red, green, blue].map((band) => new Float32Array(band.length));
  const [redShare, greenShare, blueShare] = shares as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < red.length; i++) {
    const r = red[i] as number;
    const g = green[i] as number;
    const b = blue[i] as number;
    const sum = r + g + b;
    const black = sum < 3e-3;
    const perSum = 1 / sum;
    redShare[i] = black ? 1 / 3 : r * perSum;
    greenShare[i] = black ? 1 / 3 : g * perSum;
    blueShare[i] = black ? 1 / 3 : b * perSum;
  }
  return shares.flatMap((share) => {
    const { mean, deviation } = momentsOf(share);
    return [mean, deviation];
  });
}

const RADIANS = Math.PI / 180;
/** Cosines of degrees, to 10⁻¹⁰. */
const cosineOf = curve(
  (degrees) => Math.cos(degrees * RADIANS),
  (degrees) => -RADIANS * Math.sin(degrees * RADIANS),
  [-90, 360],
  450,
);

/** Mean hue vector, each pixel counting by its saturation, turned so that 90° (yellow-green) is an axis. */
function meanHue({ hsv: { hue, saturation } }: Scene): number[] {
  let cosine = 0;
  let sine = 0;
  for (let i = 0; i < hue.length; i++) {
    const weight = saturation[i] as number;
    cosine += weight * cosineOf(hue[i] as number);
    sine += weight * cosineOf((hue[i] as number) - 90);
  }
  return [sine / hue.length, cosine / hue.length];
}
