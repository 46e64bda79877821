import { expect } from 'vitest';
import { z } from 'zod';
import type { TensorData } from '../../../../src/tensor/index.ts';

/** What timm_lite.py keeps of a tensor: its shape, ‖x‖, and values at even distances. */
export const summarySchema = z.object({
  shape: z.array(z.int()),
  length: z.number(),
  values: z.array(z.number()),
});

/** Of ‖x‖, and of the values kept: ‖x − reference‖ / ‖reference‖. */
const TOLERANCE = 1e-5;

/** Expects a tensor to be timm's, up to rounding in single precision. */
export function expectAlike(
  name: string,
  got: TensorData | undefined,
  want: z.output<typeof summarySchema>,
): void {
  expect(got?.shape, name).toEqual(want.shape);
  const values = got?.values as Float32Array;
  const step = Math.max(1, Math.floor(values.length / want.values.length));
  const kept = want.values.map((_, index) => values[index * step] ?? Number.NaN);
  const apart = Math.hypot(...kept.map((value, index) => value - (want.values[index] ?? 0)));
  expect(apart / Math.hypot(...want.values), name).toBeLessThanOrEqual(TOLERANCE);
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  expect(Math.abs(length / want.length - 1), name).toBeLessThanOrEqual(TOLERANCE);
}
