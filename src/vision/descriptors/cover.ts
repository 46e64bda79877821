import type { LabPlanes } from './spaces.ts';
import { momentsOf } from './statistics.ts';

/** Shares of a pixel; green, brown and bare are exclusive of each other, shadow is not. */
export interface Cover {
  readonly green: Float32Array;
  readonly brown: Float32Array;
  readonly bare: Float32Array;
  readonly shadow: Float32Array;
}

/** Degree, 0 to 1, to which each pixel is green leaf, brown litter, bare ground and deep shadow. */
export function coverOf(lab: LabPlanes, excessGreen: Float32Array, ngrdi: Float32Array): Cover {
  const count = excessGreen.length;
  const green = new Float32Array(count);
  const brown = new Float32Array(count);
  const bare = new Float32Array(count);
  const shadow = new Float32Array(count);
  const { mean } = momentsOf(lab.lightness);
  for (let i = 0; i < count; i++) {
    const lightness = lab.lightness[i] as number;
    const b = lab.b[i] as number;
    const dark = 1 - softStep(lightness, 0.45 * mean, 0.08 * mean + 1);
    const leaf = softStep(excessGreen[i] as number, 0.08, 0.03) * softStep(ngrdi[i] as number, 0, 0.015);
    const yellow = softStep(b, 12, 3);
    green[i] = leaf;
    brown[i] = (1 - leaf) * yellow * (1 - dark);
    bare[i] = (1 - leaf) * (1 - yellow) * (1 - dark);
    shadow[i] = dark;
  }
  return { green, brown, bare, shadow };
}

/** A soft threshold: 0 well below `at`, ½ there, 1 well above; `width` is the logistic's scale. */
export function softStep(value: number, at: number, width: number): number {
  return 1 / (1 + Math.exp(-(value - at) / width));
}
