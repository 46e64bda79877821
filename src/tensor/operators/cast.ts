import { type DType, onnxTypeCode } from '../graph/dtype.ts';
import { apply, int, type Operator } from '../graph/operator.ts';
import type { Tensor } from '../graph/tensor.ts';

const CAST: Operator<readonly [Tensor], DType> = {
  name: 'cast',
  elementwise: true,
  outputs: ([x], dtype) => [{ dtype, shape: x.shape }],
  emit: ({ node }, inputs, { attributes }) => [node('Cast', inputs, { to: int(onnxTypeCode(attributes)) })],
  gradient: ({ inputs: [x], gradient }) => [() => cast(gradient, x.dtype)],
};

const STOP: Operator<readonly [Tensor], undefined> = {
  name: 'stopGradient',
  outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  emit: (_, inputs) => [...inputs],
  gradient: () => [undefined],
};

/** The same values in another dtype; gradients come back in the first. */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : apply(CAST, [x], dtype));

/** The same value, behind which nothing is trained. */
export const stopGradient = (x: Tensor): Tensor => apply(STOP, [x], undefined);
