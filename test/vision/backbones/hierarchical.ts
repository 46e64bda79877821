import { randomStream } from '../../../src/ground/random.ts';
import { sizeOf, type TensorData } from '../../../src/tensor/index.ts';
import {
  type Backbone,
  backboneParameters,
  makeBackbone,
  type Size,
} from '../../../src/vision/backbones/index.ts';

/** One small backbone of each hierarchical kind, a picture it takes, and what becomes of two of them. */
export const HIERARCHICAL: readonly {
  readonly name: string;
  readonly backbone: Backbone;
  readonly size: Size;
  readonly features: readonly number[];
  readonly grids: readonly Size[];
}[] = [
  {
    name: 'ConvNeXt',
    backbone: makeBackbone('convnext', { depths: [1, 2, 1], dims: [8, 12, 16] }),
    size: [32, 48],
    features: [2, 16, 2, 3],
    grids: [
      [8, 12],
      [4, 6],
      [2, 3],
    ],
  },
  {
    name: 'SwinV2',
    backbone: makeBackbone('swinv2', {
      dim: 8,
      depths: [2, 2],
      heads: [2, 4],
      window: 4,
      imgSize: [32, 64],
      pretrainedWindows: [3, 3],
    }),
    size: [32, 64],
    features: [2, 4, 8, 16],
    grids: [
      [8, 16],
      [4, 8],
    ],
  },
  {
    name: 'EfficientNet',
    backbone: makeBackbone('efficientnet', {
      variant: 'efficientnet_b0',
      channelMultiplier: 0.2,
      depthMultiplier: 0.4,
    }),
    size: [32, 64],
    features: [2, 256, 1, 2],
    grids: [
      [16, 32],
      [8, 16],
      [4, 8],
      [2, 4],
      [2, 4],
      [1, 2],
      [1, 2],
    ],
  },
  {
    name: 'EfficientNet-Lite',
    backbone: makeBackbone('efficientnet', {
      variant: 'tf_efficientnet_lite0',
      channelMultiplier: 0.2,
      depthMultiplier: 0.4,
    }),
    size: [33, 64],
    features: [2, 1280, 2, 2],
    grids: [
      [17, 32],
      [9, 16],
      [5, 8],
      [3, 4],
      [3, 4],
      [2, 2],
      [2, 2],
    ],
  },
  {
    name: 'EfficientNetV2',
    backbone: makeBackbone('efficientnetv2', {
      variant: 'tf_efficientnetv2_s',
      channelMultiplier: 0.2,
      depthMultiplier: 0.15,
    }),
    size: [33, 64],
    features: [2, 256, 2, 2],
    grids: [
      [17, 32],
      [9, 16],
      [5, 8],
      [3, 4],
      [3, 4],
      [2, 2],
    ],
  },
];

/** Weights that let every parameter matter: noise, norms and LayerScale around 1, variances positive. */
export function livelyWeights(backbone: Backbone): Record<string, TensorData> {
  const random = randomStream(9);
  return Object.fromEntries(
    backboneParameters(backbone).map(({ name, shape }) => {
      const isFactor = shape.length === 1 && /weight$|gamma$|running_var$/.test(name);
      const deviation = shape.length > 1 ? 1 / Math.sqrt(sizeOf(shape.slice(1))) : 0.1;
      const values = Float32Array.from(
        { length: sizeOf(shape) },
        () => (isFactor ? 1 : 0) + deviation * Math.max(-3, Math.min(3, random.normal())),
      );
      return [name, { dtype: 'float32', shape, values }];
    }),
  );
}
