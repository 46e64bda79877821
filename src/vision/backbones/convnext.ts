import { sum } from 'd3-array';
import { z } from 'zod';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  convolutionLayer,
  filledWith,
  layerNormLayer,
  layerScale,
  mean,
  mlp,
  type Scope,
  stochasticDepth,
  type Tensor,
} from '../../tensor/index.ts';
import {
  architecture,
  countIn,
  countSchema,
  lengthIn,
  type Recognised,
  type Shapes,
} from './architecture.ts';
import {
  blockRunner,
  channelsFirst,
  channelsLast,
  type InputSizeRule,
  pictureSize,
  stageIn,
  tokensOfMap,
} from './backbone.ts';
import { affine, type Layout, plain } from './layout.ts';
import { centerCrop, metaDinov3, type Pins, type Preprocessing, timmWeights } from './published.ts';

const SCHEMA = z
  .strictObject({
    /** Blocks of every stage. */
    depths: z.array(countSchema).min(1),
    /** Channels of every stage. */
    dims: z.array(countSchema).min(1),
  })
  .refine(({ depths, dims }) => depths.length === dims.length, 'depths and dims need one number a stage');

const EPSILON = 1e-6;

/** Rows and columns that no 4 × 4 patch or 2 × 2 merge reaches are cut off, as timm does. */
const ANY_SIZE: InputSizeRule = { multipleOf: 1, fixed: false };

/** Patches of 4 × 4 as channels, normalised. */
function stem(scope: Scope, images: Tensor, dim: number): Tensor {
  const patches = convolutionLayer(scope.in(0), images, dim, [4, 4], { stride: 4 });
  return layerNormLayer(scope.in(1), channelsLast(patches), EPSILON);
}

/** Normalises, then merges 2 × 2 places into one. */
function downsample(scope: Scope, map: Tensor, dim: number): Tensor {
  const normal = channelsFirst(layerNormLayer(scope.in(0), map, EPSILON));
  return channelsLast(convolutionLayer(scope.in(1), normal, dim, [2, 2], { stride: 2 }));
}

/** 7 × 7 depthwise, then a perceptron a place. */
function block(scope: Scope, map: Tensor, rate: number): Tensor {
  const dim = lengthAt(map.shape, -1);
  const near = convolutionLayer(scope.in('conv_dw'), channelsFirst(map), dim, [7, 7], {
    padding: 3,
    groups: dim,
  });
  const normal = layerNormLayer(scope.in('norm'), channelsLast(near), EPSILON);
  const mixed = mlp(scope.in('mlp'), normal, { hidden: 4 * dim });
  return add(map, stochasticDepth(scope, layerScale(scope, mixed, filledWith(1e-6)), rate));
}

function recognise(shapes: Shapes): Recognised | undefined {
  if (!shapes.has('stages.0.blocks.0.conv_dw.weight') || !shapes.has('stem.1.weight')) return undefined;
  // Convolutions in place of linear layers, and V2's response normalisation, are other architectures.
  if (shapes.get('stages.0.blocks.0.mlp.fc1.weight')?.length !== 2) return undefined;
  if (!shapes.has('stages.0.blocks.0.gamma')) return undefined;
  const stages = Array.from({ length: countIn(shapes, 'stages.') }, (_, stage) => `stages.${stage}.blocks.`);
  return {
    config: {
      depths: stages.map((blocks) => countIn(shapes, blocks)),
      dims: stages.map((blocks) => lengthIn(shapes, `${blocks}0.gamma`, 0)),
    },
    open: {},
  };
}

const HUGGING_FACE: Layout = {
  title: 'Hugging Face ConvNeXt',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.weight$/,
    /^encoder\.stages\.0\.layers\.0\.dwconv\.weight$/,
    /^encoder\.stages\.0\.layers\.0\.layer_scale_parameter$/,
  ],
  rules() {
    const layer = 'encoder\\.stages\\.(\\d+)\\.layers\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return [
      affine('embeddings\\.patch_embeddings', 'stem.0'),
      affine('embeddings\\.layernorm', 'stem.1'),
      affine('encoder\\.stages\\.(\\d+)\\.downsampling_layer\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.layer_scale_parameter`, `${to}.gamma`),
      affine(`${layer}\\.dwconv`, `${to}.conv_dw`),
      affine(`${layer}\\.layernorm`, `${to}.norm`),
      affine(`${layer}\\.pwconv([12])`, `${to}.mlp.fc$3`),
      affine('layernorm', 'head.norm'),
    ];
  },
};

const HUGGING_FACE_DINOV3: Layout = {
  title: 'Hugging Face DINOv3 ConvNeXt',
  marks: [
    /(?:^|\.)stages\.0\.downsample_layers\.0\.weight$/,
    /^stages\.0\.layers\.0\.depthwise_conv\.weight$/,
  ],
  rules() {
    const layer = 'stages\\.(\\d+)\\.layers\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return [
      affine('stages\\.0\\.downsample_layers\\.([01])', 'stem.$1'),
      affine('stages\\.([1-9]\\d*)\\.downsample_layers\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.gamma`, `${to}.gamma`),
      affine(`${layer}\\.depthwise_conv`, `${to}.conv_dw`),
      affine(`${layer}\\.layer_norm`, `${to}.norm`),
      affine(`${layer}\\.pointwise_conv([12])`, `${to}.mlp.fc$3`),
      // Newer files have `model.` before the stages and nothing before the last norm.
      affine('layer_norm', 'head.norm'),
    ];
  },
};

/** `facebookresearch/ConvNeXt`; also DINOv3's, whose last norm has a second name. */
const REPOSITORY: Layout = {
  title: 'the ConvNeXt repository',
  marks: [/(?:^|\.)downsample_layers\.0\.0\.weight$/, /^stages\.0\.0\.dwconv\.weight$/],
  rules() {
    const layer = 'stages\\.(\\d+)\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return [
      affine('downsample_layers\\.0\\.([01])', 'stem.$1'),
      affine('downsample_layers\\.([1-9]\\d*)\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.gamma`, `${to}.gamma`),
      affine(`${layer}\\.dwconv`, `${to}.conv_dw`),
      affine(`${layer}\\.norm`, `${to}.norm`),
      affine(`${layer}\\.pwconv([12])`, `${to}.mlp.fc$3`),
      affine('norm', 'head.norm'),
    ];
  },
};

const SIZES = {
  tiny: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768], parameters: 27_820_128 },
  small: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768], parameters: 49_454_688 },
  base: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024], parameters: 87_566_464 },
  large: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536], parameters: 196_230_336 },
} as const;

type SizeName = keyof typeof SIZES;

interface Weights {
  readonly tag: string;
  readonly classes: number;
  readonly sizes: readonly SizeName[];
  readonly preprocessing: Preprocessing;
}

const ALL: readonly SizeName[] = ['tiny', 'small', 'base', 'large'];
const tested288 = (cropFraction: number): Preprocessing => ({
  ...centerCrop(224, cropFraction),
  testInputSize: [288, 288],
  testCropFraction: 1,
});
const SQUASHED_384: Preprocessing = { ...centerCrop(384, 1), cropMode: 'squash' };

const WEIGHTS: readonly Weights[] = [
  { tag: 'fb_in22k_ft_in1k', classes: 1000, sizes: ALL, preprocessing: tested288(0.875) },
  { tag: 'fb_in22k_ft_in1k_384', classes: 1000, sizes: ALL, preprocessing: SQUASHED_384 },
  { tag: 'fb_in22k', classes: 21_841, sizes: ALL, preprocessing: centerCrop(224, 0.875) },
  { tag: 'fb_in1k', classes: 1000, sizes: ALL, preprocessing: tested288(0.875) },
  { tag: 'in12k_ft_in1k', classes: 1000, sizes: ['tiny', 'small'], preprocessing: tested288(0.95) },
  { tag: 'in12k_ft_in1k_384', classes: 1000, sizes: ['tiny', 'small'], preprocessing: SQUASHED_384 },
  { tag: 'in12k', classes: 11_821, sizes: ['tiny', 'small'], preprocessing: centerCrop(224, 0.95) },
  { tag: 'dinov3_lvd1689m', classes: 0, sizes: ALL, preprocessing: centerCrop(224, 1) },
];

const PINS: Pins = {
  'facebook/dinov3-convnext-tiny-pretrain-lvd1689m': [
    '10d30274b4d445111e2d5bf75ac93bbd94db274b',
    111_299_216,
    'bd30a9459d6149564ef53af6e8a1999980953b009b94cde836ac1bac4d339cb2',
  ],
  'convnext_tiny.fb_in1k': [
    'b43a6303c9fcf176d2d707478a128c2c91e93528',
    114_374_272,
    '08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276',
  ],
  'convnext_tiny.in12k_ft_in1k': [
    'aa096f03029c7f0ec052013f64c819b34f8ad790',
    114_374_272,
    'a1aefa409b513cf209b085424eb3efffe4e4a9f511491bc2c12ea35209e6bb95',
  ],
  'convnext_tiny.dinov3_lvd1689m': [
    '39c7bb32f83c11bbb13cb23058f8852a4dac88ed',
    111_298_008,
    'a7637753a2e85d709d1a5474e13382d39e7bc581a35868b477585c970f36847f',
  ],
};

const TIMM = WEIGHTS.flatMap(({ tag, classes, sizes, preprocessing }) =>
  sizes.map((size) => {
    const { depths, dims, parameters } = SIZES[size];
    return timmWeights(
      `convnext_${size}.${tag}`,
      {
        config: { depths, dims },
        licence: tag.startsWith('dinov3') ? 'DINOv3' : 'Apache-2.0',
        preprocessing,
        width: dims[3],
        parameters,
      },
      { pins: PINS, classes },
    );
  }),
);

/**
 * ConvNeXt (Liu et al. 2022, "A ConvNet for the 2020s"; timm's `ConvNeXt` with `conv_mlp=False`), also as
 * distilled from DINOv3, whose four sizes are T, S, B and L with other weights. Maps stay `[batch, height, width, dim]`
 * between blocks: ONNX Runtime then merges both transpositions around a depthwise convolution into the reordering it
 * does anyway.
 */
export const CONVNEXT = architecture({
  arch: 'convnext',
  schema: SCHEMA,
  build: ({ depths, dims }) => ({
    width: dims.at(-1) as number,
    depth: depths.length,
    resolutions: [...depths.keys()],
    prefixTokens: 0,
    inputSize: ANY_SIZE,
    forward(scope, images, options = {}) {
      pictureSize('convnext', images, ANY_SIZE);
      const run = blockRunner(options, sum(depths));
      let map = stem(scope.in('stem'), images, dims[0] as number);
      const stages = depths.map((depth, stage) => {
        const inside = scope.in('stages').in(stage);
        if (stage > 0) map = downsample(inside.in('downsample'), map, dims[stage] as number);
        for (let at = 0; at < depth; at++) {
          map = run(map, (x, rate) => block(inside.in('blocks').in(at), x, rate));
        }
        return tokensOfMap(map);
      });
      return {
        features: channelsFirst(map),
        pooled: layerNormLayer(scope.in('head.norm'), mean(map, { axes: [1, 2] }), EPSILON),
        tokens: tokensOfMap(map),
        blocks: stages,
      };
    },
    blockOf: (name) => stageIn(name, 'stages') ?? (name.startsWith('stem.') ? -1 : depths.length),
  }),
  recognise,
  layouts: [HUGGING_FACE, HUGGING_FACE_DINOV3, REPOSITORY],
  timmName: /^convnext_/,
  timmArguments: { depths: 'depths', dims: 'dims' },
  huggingFace: { modelTypes: ['convnext', 'dinov3_convnext'], settings: [] },
  pooling: 'mean',
  // Meta's first: how photos are prepared for them is what unknown weights are taken to want.
  weights: [
    ...ALL.map((size) => {
      const twin = TIMM.find(({ name }) => name === `convnext_${size}.dinov3_lvd1689m`);
      return metaDinov3(`convnext-${size}`, PINS, twin, 0);
    }),
    ...TIMM,
  ],
});
