import { z } from 'zod';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  checkpoint,
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
import { architecture, depthRate, type InputSizeRule, pictureSize } from './backbone.ts';
import { channelsFirst, channelsLast, stageIn, tokensOfMap } from './channels.ts';
import { countSchema } from './settings.ts';

const CONFIG = z
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

/**
 * ConvNeXt (Liu et al. 2022, "A ConvNet for the 2020s"; timm's `ConvNeXt` with `conv_mlp=False`), also as
 * distilled from DINOv3, whose four sizes are T, S, B and L with other weights. Maps stay `[batch, height, width, dim]` between blocks: ONNX Runtime then merges both
 * transpositions around a depthwise convolution into the reordering it does anyway.
 */
export const CONVNEXT = architecture('convnext', CONFIG, ({ depths, dims }) => ({
  width: dims.at(-1) as number,
  depth: depths.length,
  prefixTokens: 0,
  inputSize: ANY_SIZE,
  forward(scope, images, options = {}) {
    pictureSize('convnext', images, ANY_SIZE);
    const count = depths.reduce((sum, depth) => sum + depth, 0);
    let map = stem(scope.in('stem'), images, dims[0] as number);
    let index = 0;
    const stages = depths.map((depth, stage) => {
      const inside = scope.in('stages').in(stage);
      if (stage > 0) map = downsample(inside.in('downsample'), map, dims[stage] as number);
      for (let at = 0; at < depth; at++) {
        const rate = depthRate(options.dropPath ?? 0, index++, count);
        const run = (x: Tensor): Tensor => block(inside.in('blocks').in(at), x, rate);
        map = options.checkpoint ? checkpoint(run, map) : run(map);
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
}));

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
