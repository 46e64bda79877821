import { randomStream } from '../../../src/ground/random.ts';
import { saveTensors, sizeOf, type TensorData } from '../../../src/tensor/index.ts';
import { type Backbone, backboneParameters, makeBackbone } from '../../../src/vision/backbones/index.ts';

/** One small backbone of each kind of transformer, with a picture it takes. */
export const TINY: readonly { name: string; backbone: Backbone; size: readonly [number, number] }[] = [
  {
    name: 'DINOv2',
    backbone: makeBackbone('dinov2', { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] }),
    size: [28, 56],
  },
  {
    name: 'DINOv2 with registers and SwiGLU',
    backbone: makeBackbone('dinov2', {
      dim: 24,
      depth: 3,
      heads: 3,
      imgSize: [42, 42],
      registers: 2,
      mlp: 'swiglu',
    }),
    size: [42, 42],
  },
  {
    name: 'DINOv3',
    backbone: makeBackbone('dinov3', { dim: 24, depth: 3, heads: 3, qkvBias: true }),
    size: [48, 32],
  },
  {
    name: 'DINOv3 with SwiGLU',
    backbone: makeBackbone('dinov3', { dim: 24, depth: 3, heads: 2, mlp: 'swiglu' }),
    size: [32, 32],
  },
  {
    name: 'SigLIP',
    backbone: makeBackbone('siglip', {
      dim: 24,
      depth: 3,
      heads: 3,
      imgSize: [48, 32],
      activation: 'gelu_tanh',
    }),
    size: [48, 32],
  },
];

/** Weights that let every parameter matter: all of them noise, norms and LayerScale around 1. */
export function noisyWeights(backbone: Backbone): Record<string, TensorData> {
  const random = randomStream(7);
  return Object.fromEntries(
    backboneParameters(backbone).map(({ name, shape }) => {
      const centre = /norm\d?\.weight$|gamma/.test(name) ? 1 : 0;
      const values = Float32Array.from({ length: sizeOf(shape) }, () => centre + 0.2 * random.normal());
      return [name, { dtype: 'float32', shape, values }];
    }),
  );
}

/** Writes `tensors` as the weights of a file. */
export const writeWeights = (path: string, tensors: Record<string, TensorData>): Promise<void> =>
  saveTensors(path, tensors);
