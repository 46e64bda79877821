import { expect } from 'vitest';
import type { Parameter, TensorData, Training } from '../../src/tensor/index.ts';

/**
 * Holds the parameters after a golden training against torch's (`final.*`).
 *
 * @param backboneRates sum of the backbone's learning rates over all steps
 * @param within how far each may be off, as a share of its norm
 */
export function expectFinalParameters(
  training: Training,
  parameters: readonly Parameter[],
  tensors: Readonly<Record<string, TensorData>>,
  backboneRates: number,
  within = 1e-3,
): void {
  let compared = 0;
  for (const parameter of parameters) {
    const got = training.variables.values(parameter) as Float32Array;
    const want = tensors[`final.${parameter.name}`]?.values as Float32Array;
    // Softmax does not see a bias common to all keys: its gradient is 0 but for rounding, which Adam blows up
    // to full steps of random sign, in torch as here: the two may differ by twice the sum of the rates.
    const isFused = parameter.name.endsWith('qkv.bias');
    const third = got.length / 3;
    const noise = (i: number): boolean => isFused && i >= third && i < 2 * third;
    const differences = got.map((value, i) => value - (want[i] as number));
    const error = Math.hypot(...differences.filter((_, i) => !noise(i))) / Math.hypot(...want);
    expect(error, parameter.name).toBeLessThan(within);
    const drift = Math.max(0, ...differences.filter((_, i) => noise(i)).map(Math.abs));
    expect(drift, parameter.name).toBeLessThan(2 * backboneRates);
    compared += 1;
  }
  expect(compared).toBe(64);
}
