import {
  add,
  attention,
  concat,
  convolutionLayer,
  expand,
  filledWith,
  layerNormLayer,
  layerScale,
  linearLayer,
  mlp,
  reshape,
  type Scope,
  select,
  splitEvenly,
  type Tensor,
  transpose,
  truncatedNormal,
  zeros,
} from '../../src/tensor/index.ts';

export interface TinyVit {
  readonly patch: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
}

/** The least that a DINOv2 ViT is, under timm's names: `[batch, 3, h, w]` → CLS after the norm `[batch, dim]`. */
export function tinyVit(scope: Scope, image: Tensor, { patch, dim, depth, heads }: TinyVit): Tensor {
  const stem = convolutionLayer(scope.in('patch_embed.proj'), image, dim, [patch, patch], { stride: patch });
  const [batch, , rows, columns] = stem.shape as [number, number, number, number];
  const patches = transpose(reshape(stem, [batch, dim, rows * columns]), [0, 2, 1]);
  const cls = expand(scope.parameter('cls_token', [1, 1, dim], zeros), [batch, 1, dim]);
  const position = scope.parameter('pos_embed', [1, rows * columns + 1, dim], truncatedNormal());
  let x = add(concat([cls, patches], 1), position);
  for (let index = 0; index < depth; index++) x = block(scope.in('blocks').in(index), x, dim, heads);
  return select(layerNormLayer(scope.in('norm'), x, 1e-6), 1, 0);
}

function block(scope: Scope, x: Tensor, dim: number, heads: number): Tensor {
  const qkv = linearLayer(scope.in('attn.qkv'), layerNormLayer(scope.in('norm1'), x, 1e-6), 3 * dim);
  const [q, k, v] = splitEvenly(qkv, 3, -1) as [Tensor, Tensor, Tensor];
  const mixed = linearLayer(scope.in('attn.proj'), attention(q, k, v, { heads }), dim);
  const first = add(x, layerScale(scope.in('ls1'), mixed, filledWith(0.1)));
  const inner = mlp(scope.in('mlp'), layerNormLayer(scope.in('norm2'), first, 1e-6), { hidden: 4 * dim });
  return add(first, layerScale(scope.in('ls2'), inner, filledWith(0.1)));
}
