import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  cast,
  compile,
  gradients,
  input,
  Scope,
  square,
  sum,
  type Tensor,
  type TensorData,
} from '../../../src/tensor/index.ts';
import { type Backbone, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { featurePlan, pooledFeatures } from '../../../src/vision/features/index.ts';
import { HIERARCHICAL, livelyWeights } from '../backbones/hierarchical.ts';
import { noisyWeights, TINY } from '../backbones/tiny.ts';

const PLAN = featurePlan({ pooling: 'stages' });

function valuesOf(results: Record<string, TensorData>, name: string): Float32Array {
  const values = results[name]?.values;
  if (values instanceof Float32Array) return values;
  throw new Error(`no ${name} in the results`);
}

/** Mean and deviation of each channel over all places, all means before all deviations. */
function momentsOf(map: Float32Array, places: number): number[] {
  const channels = map.length / places;
  const column = (channel: number) =>
    Array.from({ length: places }, (_, at) => map[at * channels + channel] ?? 0);
  const columns = Array.from({ length: channels }, (_, channel) => column(channel));
  const means = columns.map((values) => values.reduce((total, value) => total + value / places, 0));
  const deviations = columns.map((values, channel) => {
    const squares = values.map((value) => (value - (means[channel] ?? 0)) ** 2);
    return Math.sqrt(squares.reduce((total, value) => total + value / places, 0));
  });
  return [...means, ...deviations];
}

const HAS_RESOLUTIONS: readonly (readonly [string, Backbone, readonly number[]])[] = [
  ['EfficientNet-Lite2', makeBackbone('efficientnet', { variant: 'tf_efficientnet_lite2' }), [0, 1, 2, 4, 6]],
  ['EfficientNetV2-L', makeBackbone('efficientnetv2', { variant: 'tf_efficientnetv2_l' }), [0, 1, 2, 4, 6]],
  ['EfficientNetV2-S', makeBackbone('efficientnetv2', { variant: 'tf_efficientnetv2_s' }), [0, 1, 2, 4, 5]],
  ['ConvNeXt', makeBackbone('convnext', { depths: [3, 3, 9, 3], dims: [8, 16, 24, 32] }), [0, 1, 2, 3]],
  [
    'Swin V2',
    makeBackbone('swinv2', { dim: 8, depths: [2, 2, 2, 2], heads: [1, 1, 1, 1], window: 8, imgSize: 256 }),
    [0, 1, 2, 3],
  ],
  ['ViT-B', makeBackbone('dinov3', { dim: 24, depth: 12, heads: 3 }), [2, 5, 8, 11]],
  ['ViT-L', makeBackbone('dinov2', { dim: 24, depth: 24, heads: 3, imgSize: 42 }), [5, 11, 17, 23]],
  ['a ViT of two blocks', makeBackbone('dinov3', { dim: 24, depth: 2, heads: 3 }), [0, 1]],
];

describe('pooling by stages', () => {
  it.each(HAS_RESOLUTIONS)('takes of %s the last block of every resolution', (_, backbone, numbers) => {
    expect(backbone.resolutions).toEqual(numbers);
  });

  it('makes 1,120 numbers of EfficientNet-Lite2: twice 16, 24, 48, 120 and 352 channels', () => {
    const backbone = makeBackbone('efficientnet', { variant: 'tf_efficientnet_lite2' });
    const output = backbone.forward(Scope.root({ random: randomStream(0) }), input('images', [3, 3, 64, 64]));
    expect(pooledFeatures(backbone, output, PLAN).shape).toEqual([3, 1120]);
  });

  const all = [
    ...HIERARCHICAL.map((one) => ({ ...one, weights: livelyWeights(one.backbone) })),
    ...TINY.map((one) => ({ ...one, weights: noisyWeights(one.backbone) })),
  ];

  it.each(all)(
    'is mean and deviation over the places of each: $name',
    async ({ backbone, size, weights }) => {
      const scope = Scope.root({ random: randomStream(0), trainable: () => false }).withValues(weights);
      const output = backbone.forward(scope, input('images', [1, 3, ...size]));
      const maps = Object.fromEntries(
        output.blocks.map(({ patches }, number) => [`block${number}`, patches] as const),
      );
      const own = featurePlan({ pooling: 'stages', blocks: [1, 0] });
      const program = await compile({
        outputs: {
          ...maps,
          stages: pooledFeatures(backbone, output, PLAN),
          chosen: pooledFeatures(backbone, output, own),
        },
      });
      const pictures = Float32Array.from({ length: 3 * size[0] * size[1] }, (_, i) => Math.sin(i * i));
      const results = await program.run({ images: pictures });
      await program.dispose();
      const moments = (block: number): number[] => {
        const [, places = 0] = results[`block${block}`]?.shape ?? [];
        return momentsOf(valuesOf(results, `block${block}`), places);
      };
      const expectClose = (name: string, expected: readonly number[]): void => {
        const found = [...valuesOf(results, name)];
        expect(found).toHaveLength(expected.length);
        const largest = Math.max(...expected.map(Math.abs));
        for (const [at, value] of expected.entries()) {
          // A map of one place has no deviation; it counts as the least there is.
          expect(Math.abs((found[at] ?? Number.NaN) - value)).toBeLessThan(1e-5 * largest + 1.1e-6);
        }
      };
      expectClose('stages', backbone.resolutions.flatMap(moments));
      expectClose('chosen', [1, 0].flatMap(moments));
    },
  );

  it.each(['float32', 'float16'] as const)(
    'has a finite gradient where a map is constant: %s',
    async (dtype) => {
      const backbone = makeBackbone('convnext', { depths: [1, 1], dims: [2, 2] });
      const map = input('map', [1, 6, 2]);
      const patches: Tensor = cast(map, dtype);
      const tokens = { patches, prefix: null, grid: [2, 3] as const };
      const output = { features: patches, pooled: patches, tokens, blocks: [tokens, tokens] };
      const pooled = pooledFeatures(backbone, output, PLAN);
      const [slope] = gradients(sum(square(pooled)), [map]);
      if (slope === undefined) throw new Error('no gradient');
      const program = await compile({ outputs: { pooled, slope } });
      const values = Float32Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? 3 : at));
      const results = await program.run({ map: values });
      await program.dispose();
      const slopes = [...valuesOf(results, 'slope')];
      expect(slopes.every(Number.isFinite)).toBe(true);
      // Of the constant channel only the mean's: 2 stages × 2 · 3 / 6.
      for (const at of [0, 2, 4]) expect(slopes[at]).toBeCloseTo(2, 2);
      const [mean, , deviation] = valuesOf(results, 'pooled');
      expect([mean, deviation]).toEqual([3, Math.fround(1e-6)]);
    },
  );
});
