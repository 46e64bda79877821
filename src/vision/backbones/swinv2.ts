import { z } from 'zod';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  checkpoint,
  convolutionLayer,
  layerNormLayer,
  linearLayer,
  mean,
  mlp,
  pad,
  reshape,
  type Scope,
  stochasticDepth,
  type Tensor,
  transpose,
} from '../../tensor/index.ts';
import { architecture, depthRate, type InputSizeRule, pictureSize, type Size } from './backbone.ts';
import { channelsLast, stageIn } from './channels.ts';
import { countSchema, sizeSchema } from './settings.ts';
import { asMap, type Windows, windowAttention, windowsOf } from './window-attention.ts';
import { planWindows } from './window-geometry.ts';

const CONFIG = z
  .strictObject({
    /** Channels of the first stage; every stage doubles them. */
    dim: countSchema,
    /** Blocks of every stage. */
    depths: z.array(countSchema).min(1),
    heads: z.array(countSchema).min(1),
    /** Tokens along a window's sides. */
    window: sizeSchema,
    /** Pixels the windows are laid out for. Default: whatever comes in, as timm's `img_size` would be set. */
    imgSize: sizeSchema.optional(),
    /** Windows of pretraining, one a stage, where the weights were taken to larger ones; 0: the same. */
    pretrainedWindows: z.array(z.int().nonnegative()).optional(),
  })
  .superRefine(({ dim, depths, heads, pretrainedWindows }, context) => {
    for (const [name, list] of Object.entries({ heads, pretrainedWindows })) {
      if (list !== undefined && list.length !== depths.length) {
        context.addIssue({ code: 'custom', path: [name], message: 'must have one number a stage' });
      }
    }
    heads.forEach((count, stage) => {
      if ((dim * 2 ** stage) % count !== 0) {
        context.addIssue({ code: 'custom', path: ['heads', stage], message: 'must divide the channels' });
      }
    });
  });

const EPSILON = 1e-5;
const PATCH = 4;

/** Tokens and where they lie. */
interface TokenGrid {
  readonly tokens: Tensor;
  readonly grid: Size;
}

/**
 * Swin Transformer V2 (Liu et al. 2022; timm's `SwinTransformerV2`). Other sizes than the one the windows are
 * laid out for are taken as timm takes them with `strict_img_size=False`: windows stay, maps are filled up with
 * zeros.
 */
export const SWINV2 = architecture('swinv2', CONFIG, ({ dim, depths, heads, window, imgSize, ...rest }) => {
  const inputSize: InputSizeRule = {
    multipleOf: PATCH,
    fixed: false,
    ...(imgSize && { native: imgSize }),
  };
  const count = depths.reduce((sum, depth) => sum + depth, 0);
  return {
    width: dim * 2 ** (depths.length - 1),
    depth: depths.length,
    prefixTokens: 0,
    inputSize,
    forward(scope, images, options = {}) {
      const { height, width } = pictureSize('swinv2', images, inputSize);
      const laidOutFor = imgSize ?? [height, width];
      let map = patchEmbedding(scope.in('patch_embed'), images, dim);
      let index = 0;
      const stages = depths.map((depth, stage) => {
        const inside = scope.in('layers').in(stage);
        if (stage > 0) map = merge(inside.in('downsample'), map, dim * 2 ** stage);
        const { grid } = map;
        const side = PATCH * 2 ** stage;
        const madeFor = [wholeIn(laidOutFor[0], side), wholeIn(laidOutFor[1], side)] as const;
        const [still, shifted] = [false, true].map((isShifted) =>
          windowsOf(planWindows(grid, madeFor, window, isShifted), rest.pretrainedWindows?.[stage] ?? 0),
        ) as [Windows, Windows];
        for (let at = 0; at < depth; at++) {
          const rate = depthRate(options.dropPath ?? 0, index++, count);
          const windows = at % 2 === 0 ? still : shifted;
          const run = (x: Tensor): Tensor =>
            block(inside.in('blocks').in(at), x, { windows, heads: heads[stage] as number, rate });
          map = { grid, tokens: options.checkpoint ? checkpoint(run, map.tokens) : run(map.tokens) };
        }
        return { patches: map.tokens, prefix: null, grid };
      });
      const patches = layerNormLayer(scope.in('norm'), map.tokens, EPSILON);
      return {
        features: asMap(patches, map.grid),
        pooled: mean(patches, { axes: [1] }),
        tokens: { patches, prefix: null, grid: map.grid },
        blocks: stages,
      };
    },
    blockOf: (name) => stageIn(name, 'layers') ?? (name.startsWith('patch_embed.') ? -1 : depths.length),
  };
});

/** How many sides fit a length; a map has one token at least. */
const wholeIn = (length: number, side: number): number => Math.max(1, Math.floor(length / side));

/** Patches of 4 × 4 pixels as tokens, normalised. */
function patchEmbedding(scope: Scope, images: Tensor, dim: number): TokenGrid {
  const patches = channelsLast(
    convolutionLayer(scope.in('proj'), images, dim, [PATCH, PATCH], { stride: PATCH }),
  );
  const grid: Size = [lengthAt(patches.shape, 1), lengthAt(patches.shape, 2)];
  const tokens = reshape(patches, [lengthAt(images.shape, 0), grid[0] * grid[1], dim]);
  return { tokens: layerNormLayer(scope.in('norm'), tokens, EPSILON), grid };
}

/** Joins 2 × 2 tokens, column by column, and halves their width; odd maps get a row or column of zeros. */
function merge(scope: Scope, { tokens, grid }: TokenGrid, dim: number): TokenGrid {
  const halves: Size = [Math.ceil(grid[0] / 2), Math.ceil(grid[1] / 2)];
  const even = pad(asMap(tokens, grid), { 1: [0, grid[0] % 2], 2: [0, grid[1] % 2] });
  const [batch, , , from] = even.shape as [number, number, number, number];
  const apart = reshape(even, [batch, halves[0], 2, halves[1], 2, from]);
  const joined = reshape(transpose(apart, [0, 1, 3, 4, 2, 5]), [batch, halves[0] * halves[1], 4 * from]);
  const reduced = linearLayer(scope.in('reduction'), joined, dim, { bias: false });
  return { tokens: layerNormLayer(scope.in('norm'), reduced, EPSILON), grid: halves };
}

interface BlockSpec {
  readonly windows: Windows;
  readonly heads: number;
  readonly rate: number;
}

/** Attention and perceptron, each normalised after the fact and only then added. */
function block(scope: Scope, x: Tensor, { windows, heads, rate }: BlockSpec): Tensor {
  const attended = windowAttention(scope.in('attn'), x, windows, heads);
  const near = layerNormLayer(scope.in('norm1'), attended, EPSILON);
  const first = add(x, stochasticDepth(scope.in('drop_path1'), near, rate));
  const mixed = mlp(scope.in('mlp'), first, { hidden: 4 * lengthAt(x.shape, -1) });
  const inner = layerNormLayer(scope.in('norm2'), mixed, EPSILON);
  return add(first, stochasticDepth(scope.in('drop_path2'), inner, rate));
}
