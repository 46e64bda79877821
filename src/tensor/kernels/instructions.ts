import {
  absoluteNumbers,
  addNumbers,
  type Code,
  divideNumbers,
  multiplyNumbers,
  negatedNumbers,
  rootsOfNumbers,
  subtractNumbers,
} from '../../ground/webassembly.ts';
import type { Operation } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';

/**
 * Operators by name, and what computes four elements at once. All of them are rounded correctly, here as in ONNX
 * Runtime, so that both give the same bits.
 */
export const INSTRUCTIONS: ReadonlyMap<string, (...operands: readonly Code[]) => Code> = new Map([
  ['add', addNumbers],
  ['subtract', subtractNumbers],
  ['multiply', multiplyNumbers],
  ['divide', divideNumbers],
  ['squareRoot', rootsOfNumbers],
  ['negate', negatedNumbers],
  ['absolute', absoluteNumbers],
]);

/** Whether a kernel can compute an operation: every operand as large as the result or a single number. */
export function isComputable({ operator, inputs, outputs }: Operation): boolean {
  const size = sizeOf(outputs[0]?.shape ?? []);
  const fits = inputs.every(({ shape }) => sizeOf(shape) === size || sizeOf(shape) === 1);
  const allSingle = [...inputs, ...outputs].every(({ dtype }) => dtype === 'float32');
  return INSTRUCTIONS.has(operator.name) && fits && allSingle;
}
