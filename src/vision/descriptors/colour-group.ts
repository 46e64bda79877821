import { ofColours } from './frame.ts';
import { type DescriptorGroup, namesOf } from './group.ts';
import { INDEX_NAMES, INDICES, indexPlane } from './indices.ts';
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
    return INDEX_NAMES.flatMap((name) => {
      const { low, high } = INDICES[name];
      const known = { exg: scene.excessGreen, ngrdi: scene.ngrdi };
      const plane = name === 'exg' || name === 'ngrdi' ? known[name] : indexPlane(scene.colour, name);
      return spread(plane, low, high);
    });
  },
};

function spread(values: Float32Array, low: number, high: number): number[] {
  const { mean, deviation } = momentsOf(values);
  return [mean, deviation, ...quantilesOf(values, low, high, [0.1, 0.5, 0.9])];
}

function chromaticities({ colour }: Scene): number[] {
  return [0, 1, 2].flatMap((band) => {
    const share = ofColours(colour, (...bands) => {
      const sum = bands[0] + bands[1] + bands[2];
      return sum < 3e-3 ? 1 / 3 : (bands[band] as number) / sum;
    });
    const { mean, deviation } = momentsOf(share);
    return [mean, deviation];
  });
}

/** Mean hue vector, each pixel counting by its saturation, turned so that 90° (yellow-green) is an axis. */
function meanHue({ hsv }: Scene): number[] {
  let cosine = 0;
  let sine = 0;
  for (let i = 0; i < hsv.hue.length; i++) {
    const angle = ((hsv.hue[i] as number) * Math.PI) / 180;
    const weight = hsv.saturation[i] as number;
    cosine += weight * Math.cos(angle);
    sine += weight * Math.sin(angle);
  }
  return [sine / hsv.hue.length, cosine / hsv.hue.length];
}
