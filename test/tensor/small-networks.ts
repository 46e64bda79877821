import {
  batchNormLayer,
  convolutionLayer,
  dropout,
  globalAveragePool,
  linearLayer,
  relu,
  type Scope,
  type Tensor,
} from '../../src/tensor/index.ts';
import { tinyVit } from './tiny-vit.ts';

/** From pictures `[batch, 3, h, w]` to one number each, `[batch, 1]`. */
export type Network = (scope: Scope, image: Tensor) => Tensor;

/** Two blocks, with dropout before the head. */
export const vit: Network = (scope, image) => {
  const cls = tinyVit(scope.in('backbone'), image, { patch: 4, dim: 16, depth: 2, heads: 2 });
  return linearLayer(scope.in('head'), dropout(scope.in('head'), cls, 0.1), 1);
};

/** Two convolutions with batch norm. */
export const convolutional: Network = (scope, image) => {
  let x = image;
  for (const [index, width] of [8, 16].entries()) {
    const part = scope.in(index);
    x = convolutionLayer(part.in('conv'), x, width, [3, 3], { stride: 2, padding: 1, bias: false });
    x = relu(batchNormLayer(part.in('bn'), x));
  }
  return linearLayer(scope.in('head'), globalAveragePool(x), 1);
};
