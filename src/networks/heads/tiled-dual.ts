import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  concat,
  divide,
  dropout,
  layerNormLayer,
  linearLayer,
  multiHeadAttention,
  multiply,
  relu,
  reshape,
  type Scope,
  sigmoid,
  softmax,
  subtract,
  sum,
  type Tensor,
  tanh,
} from '../../tensor/index.ts';
import { type Features, halfMeans, halvesOf, widthOf } from './features.ts';
import { modulatedHalves } from './film-dual.ts';
import { type Heads, type MassUnit, massesOfNested, sideBySide } from './masses.ts';

/** Seed 1: heads for total, GDM and green over the halves side by side. */
export const tiledDualSettings = z.strictObject({
  kind: z.literal('tiled-dual'),
  attendingBlocks: z
    .int()
    .min(0)
    .default(0)
    .describe('blocks whose features stand side by side and attend to each other; 0: they do not'),
  tiles: z
    .enum(['mean', 'attention', 'quality'])
    .default('mean')
    .describe('how the tiles of a half become one vector'),
  fusion: z.enum(['concat', 'film', 'gated']).default('concat').describe('how the halves become one vector'),
  bottleneck: z
    .int()
    .min(0)
    .default(0)
    .describe('width of a linear layer before the heads, shared by them; 0: none'),
  hiddenRatio: z
    .number()
    .positive()
    .default(0.25)
    .describe('hidden width of a head as a share of its input’s'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.3)
    .describe('share of the heads’ hidden layers dropped in training'),
  physics: z
    .enum(['order', 'project'])
    .default('order')
    .describe('how predictions are made physical: the larger sum gives way, or the nearest physical masses'),
});

type TiledDualSettings = z.output<typeof tiledDualSettings>;

/** Names of the heads, and which mass each answers with. */
const HEADS = [
  ['head_green', 0],
  ['head_gdm', 3],
  ['head_total', 4],
] as const;

/** Hidden width of the network that weighs tiles. */
const ATTENTION_WIDTH = 128;

/**
 * Seed 1: the tiles of each half become one vector, the halves are joined, a further embedding of the photo is put
 * beside them, and heads answer with green, GDM and total; dead and clover are what is between. Names:
 * `head_total.0`, `head_total.3`, …, and `blocks`, `tiles`, `fusion`, `bottleneck` where those are asked for.
 */
export function tiledDual(
  scope: Scope,
  features: Features,
  settings: TiledDualSettings,
  unit: MassUnit,
): Heads {
  const parts = attended(scope.in('blocks'), features.parts, settings.attendingBlocks);
  const joined = joinHalves(
    scope.in('fusion'),
    pooledTiles(scope.in('tiles'), { ...features, parts }, settings.tiles),
    settings.fusion,
  );
  const whole = features.extra ? concat([joined, features.extra], -1) : joined;
  const embedding =
    settings.bottleneck > 0 ? relu(linearLayer(scope.in('bottleneck'), whole, settings.bottleneck)) : whole;
  const hidden = Math.max(1, Math.floor(settings.hiddenRatio * widthOf(embedding)));
  const columns = HEADS.map(([name, mass]) => {
    const head = scope.in(name);
    const inside = dropout(head, relu(linearLayer(head.in(0), embedding, hidden)), settings.dropout);
    return unit(linearLayer(head.in(3), inside, 1), [mass]);
  });
  return { masses: massesOfNested(sideBySide(columns)), embedding };
}

/**
 * Features of several blocks, side by side in every part, after one layer of self-attention between the blocks
 * (pre-norm, residual).
 *
 * @param parts `[batch, halves, tiles, blocks · width]`
 * @throws UsageError when the features are not of so many blocks
 */
function attended(scope: Scope, parts: Tensor, blocks: number): Tensor {
  if (blocks === 0) return parts;
  const dim = lengthAt(parts.shape, -1);
  const width = dim / blocks;
  if (!Number.isInteger(width)) {
    throw new UsageError(
      `architecture.attendingBlocks=${blocks}: ${dim} features are not those of so many blocks`,
    );
  }
  const sets = reshape(parts, [-1, blocks, width]);
  const mixed = multiHeadAttention(scope.in('attn'), layerNormLayer(scope.in('norm'), sets), { heads: 1 });
  return reshape(add(sets, mixed), parts.shape);
}

/** One vector `[batch, dim]` a half. @throws UsageError when there is nothing to weigh */
function pooledTiles(scope: Scope, features: Features, how: TiledDualSettings['tiles']): Tensor[] {
  const { parts } = features;
  if (how === 'mean') return halfMeans(features);
  if (lengthAt(parts.shape, 2) === 1) {
    throw new UsageError(
      `architecture.tiles=${how} weighs tiles, but each half is one vector; set input.combine=keep`,
    );
  }
  const weights = how === 'attention' ? attentionWeights(scope, parts) : qualityWeights(scope, parts);
  return halvesOf(sum(multiply(parts, weights), { axes: [2] }));
}

/**
 * Weights of the tiles of each half that sum to 1: softmax of a small network's scores (Ilse et al. 2018).
 *
 * @param parts `[batch, halves, tiles, dim]`
 * @returns `[batch, halves, tiles, 1]`
 */
function attentionWeights(scope: Scope, parts: Tensor): Tensor {
  const inside = tanh(linearLayer(scope.in(0), parts, ATTENTION_WIDTH));
  return softmax(linearLayer(scope.in(2), inside, 1), 2);
}

/** As {@link attentionWeights}, but each tile counts by itself: its quality in [0, 1] as a share of all. */
function qualityWeights(scope: Scope, parts: Tensor): Tensor {
  const quality = sigmoid(linearLayer(scope, parts, 1));
  return divide(quality, add(sum(quality, { axes: [2], keepAxes: true }), 1e-6));
}

/** @returns `[batch, 2 · dim]`, or `[batch, dim]` for a whole photo and for gated halves */
function joinHalves(scope: Scope, halves: readonly Tensor[], how: TiledDualSettings['fusion']): Tensor {
  const [left, right] = halves as [Tensor, Tensor?];
  if (right === undefined) return left;
  if (how === 'concat') return concat([left, right], -1);
  if (how === 'film') return modulatedHalves(scope, [left, right]);
  const gate = sigmoid(linearLayer(scope, concat([left, right], -1), widthOf(left)));
  return add(multiply(gate, left), multiply(subtract(1, gate), right));
}
