import { sum } from 'd3-array';
import { z } from 'zod';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
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
import {
  architecture,
  countIn,
  countSchema,
  lengthIn,
  type Recognised,
  type Shapes,
  sizeSchema,
} from './architecture.ts';
import {
  blockRunner,
  channelsLast,
  type InputSizeRule,
  pictureSize,
  type Size,
  stageIn,
} from './backbone.ts';
import { affine, joinedQkv, type Layout, plain, QKV_WORDS } from './layout.ts';
import { centerCrop, timmWeights } from './published.ts';
import { asMap, type Windows, windowAttention, windowsOf } from './window-attention.ts';
import { layOutWindows } from './window-geometry.ts';

const SCHEMA = z
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

function recognise(shapes: Shapes): Recognised | undefined {
  if (!shapes.has('layers.0.blocks.0.attn.logit_scale')) return undefined;
  const stages = Array.from({ length: countIn(shapes, 'layers.') }, (_, stage) => `layers.${stage}.blocks.`);
  return {
    config: {
      dim: lengthIn(shapes, 'patch_embed.proj.weight', 0),
      depths: stages.map((blocks) => countIn(shapes, blocks)),
      heads: stages.map((blocks) => lengthIn(shapes, `${blocks}0.attn.logit_scale`, 0)),
    },
    open: { window: undefined, imgSize: undefined },
  };
}

const HUGGING_FACE: Layout = {
  title: 'Hugging Face Swin V2',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.projection\.weight$/,
    /^encoder\.layers\.0\.blocks\.0\.attention\.self\.logit_scale$/,
  ],
  rules(names) {
    const block = 'encoder\\.layers\\.(\\d+)\\.blocks\\.(\\d+)';
    const to = 'layers.$1.blocks.$2';
    const stages = [...names].flatMap(
      (name) => /^encoder\.layers\.(\d+)\.downsample\./.exec(name)?.[1] ?? [],
    );
    return [
      affine('embeddings\\.patch_embeddings\\.projection', 'patch_embed.proj'),
      affine('embeddings\\.norm', 'patch_embed.norm'),
      plain(`${block}\\.attention\\.self\\.logit_scale`, `${to}.attn.logit_scale`),
      plain(`${block}\\.attention\\.self\\.continuous_position_bias_mlp\\.(.+)`, `${to}.attn.cpb_mlp.$3`),
      ...joinedQkv(
        (letter) => `${block}\\.attention\\.self\\.${QKV_WORDS[letter]}\\.weight`,
        `${to}.attn.qkv.weight`,
      ),
      plain(`${block}\\.attention\\.self\\.query\\.bias`, `${to}.attn.q_bias`),
      plain(`${block}\\.attention\\.self\\.value\\.bias`, `${to}.attn.v_bias`),
      affine(`${block}\\.attention\\.output\\.dense`, `${to}.attn.proj`),
      affine(`${block}\\.layernorm_before`, `${to}.norm1`),
      affine(`${block}\\.layernorm_after`, `${to}.norm2`),
      affine(`${block}\\.intermediate\\.dense`, `${to}.mlp.fc1`),
      affine(`${block}\\.output\\.dense`, `${to}.mlp.fc2`),
      // Hugging Face merges at the end of a stage, timm at the beginning of the next.
      ...[...new Set(stages)].map((stage) =>
        plain(`encoder\\.layers\\.${stage}\\.downsample\\.(.+)`, `layers.${Number(stage) + 1}.downsample.$1`),
      ),
      affine('layernorm', 'norm'),
    ];
  },
};

const SIZES = {
  tiny: { dim: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], parameters: 27_578_154 },
  small: { dim: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24], parameters: 48_959_418 },
  base: { dim: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], parameters: 86_893_816 },
} as const;

/** [size, what follows it in timm's name, window, pixels, classes, whether first trained with windows of 12, crop] */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, string, number, number, number, boolean, number])[] = [
  ...(['tiny', 'small', 'base'] as const).flatMap((size) =>
    [8, 16].map((window) => [size, `window${window}_256.ms_in1k`, window, 256, 1000, false, 0.9] as const),
  ),
  ['base', 'window12_192.ms_in22k', 12, 192, 21_841, false, 0.9],
  ['base', 'window12to16_192to256.ms_in22k_ft_in1k', 16, 256, 1000, true, 0.9],
  ['base', 'window12to24_192to384.ms_in22k_ft_in1k', 24, 384, 1000, true, 1],
];

/**
 * Swin Transformer V2 (Liu et al. 2022; timm's `SwinTransformerV2`). Other sizes than the one the windows are
 * laid out for are taken as timm takes them with `strict_img_size=False`: windows stay, maps are filled up with
 * zeros.
 */
export const SWINV2 = architecture({
  arch: 'swinv2',
  schema: SCHEMA,
  build({ dim, depths, heads, window, imgSize, ...rest }) {
    const inputSize: InputSizeRule = {
      multipleOf: PATCH,
      fixed: false,
      ...(imgSize && { native: imgSize }),
    };
    return {
      width: dim * 2 ** (depths.length - 1),
      depth: depths.length,
      resolutions: [...depths.keys()],
      prefixTokens: 0,
      inputSize,
      forward(scope, images, options = {}) {
        const { height, width } = pictureSize('swinv2', images, inputSize);
        const laidOutFor = imgSize ?? [height, width];
        const run = blockRunner(options, sum(depths));
        let map = patchEmbedding(scope.in('patch_embed'), images, dim);
        const stages = depths.map((depth, stage) => {
          const inside = scope.in('layers').in(stage);
          if (stage > 0) map = merge(inside.in('downsample'), map, dim * 2 ** stage);
          const { grid } = map;
          const side = PATCH * 2 ** stage;
          const madeFor = [wholeIn(laidOutFor[0], side), wholeIn(laidOutFor[1], side)] as const;
          const [still, shifted] = [false, true].map((isShifted) =>
            windowsOf(layOutWindows(grid, madeFor, window, isShifted), rest.pretrainedWindows?.[stage] ?? 0),
          ) as [Windows, Windows];
          for (let at = 0; at < depth; at++) {
            const windows = at % 2 === 0 ? still : shifted;
            const tokens = run(map.tokens, (x, rate) =>
              block(inside.in('blocks').in(at), x, { windows, heads: heads[stage] as number, rate }),
            );
            map = { grid, tokens };
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
  },
  recognise,
  layouts: [HUGGING_FACE],
  timmName: /^swinv2_(?!cr_)/,
  timmArguments: { embed_dim: 'dim', depths: 'depths', num_heads: 'heads', window_size: 'window' },
  huggingFace: { modelTypes: ['swinv2'], settings: ['window', 'pretrainedWindows', 'imgSize'] },
  pooling: 'mean',
  weights: WEIGHTS.map(([size, tag, window, side, classes, isFrom12, cropFraction]) => {
    const { parameters, ...shape } = SIZES[size];
    const pretrainedWindows = isFrom12 ? [12, 12, 12, 6] : [0, 0, 0, 0];
    return timmWeights(
      `swinv2_${size}_${tag}`,
      {
        config: { ...shape, window, imgSize: [side, side], pretrainedWindows },
        licence: 'MIT',
        preprocessing: centerCrop(side, cropFraction),
        width: shape.dim * 8,
        parameters,
      },
      { classes },
    );
  }),
});
