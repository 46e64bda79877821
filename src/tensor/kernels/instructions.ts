import type { Operation } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import type { VectorCode } from './wasm.ts';

/**
 * Operators by name, and the instruction that computes four elements at once. All of them are rounded correctly, here
 * as in ONNX Runtime, so that both give the same bits.
 */
export const INSTRUCTIONS: ReadonlyMap<string, VectorCode> = new Map([
  ['add', 'f32x4.add'],
  ['subtract', 'f32x4.sub'],
  ['multiply', 'f32x4.mul'],
  ['divide', 'f32x4.div'],
  ['squareRoot', 'f32x4.sqrt'],
  ['negate', 'f32x4.neg'],
  ['absolute', 'f32x4.abs'],
]);

/** Whether a kernel can compute an operation: every operand as large as the result or a single number. */
export function isComputable({ operator, inputs, outputs }: Operation): boolean {
  const size = sizeOf(outputs[0]?.shape ?? []);
  const fits = inputs.every(({ shape }) => sizeOf(shape) === size || sizeOf(shape) === 1);
  const allSingle = [...inputs, ...outputs].every(({ dtype }) => dtype === 'float32');
  return INSTRUCTIONS.has(operator.name) && fits && allSingle;
}
