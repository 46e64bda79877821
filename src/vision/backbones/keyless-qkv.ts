import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  concat,
  full,
  linearLayer,
  type Scope,
  type Tensor,
  truncatedNormal,
  zeros,
} from '../../tensor/index.ts';

/**
 * One product for q, k and v whose biases lie apart, as `q_bias` and `v_bias`; keys have none (timm's `Eva` with
 * `qkv_bias_separate`, and SwinV2). The weight is `qkv.weight`.
 *
 * @param x [batch, tokens, dim]
 * @returns [batch, tokens, 3 · dim]
 */
export function keylessQkv(scope: Scope, x: Tensor): Tensor {
  const dim = lengthAt(x.shape, -1);
  const q = scope.parameter('q_bias', [dim], zeros);
  const v = scope.parameter('v_bias', [dim], zeros);
  const bias = concat([q, full([dim], 0, q.dtype), v], 0);
  return linearLayer(scope.in('qkv'), x, 3 * dim, { bias, weightInitializer: truncatedNormal() });
}
