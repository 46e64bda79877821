import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphWriter } from '../../src/export/graph-writer.ts';
import { turnNodes, viewNodes } from '../../src/export/photo-nodes.ts';
import { randomStream } from '../../src/ground/random.ts';
import { modelBytes, valueInfo } from '../../src/tensor/onnx/model.ts';
import prepareViews from '../../src/vision/features/prepare-worker.ts';
import { INTERPOLATIONS } from '../../src/vision/preprocess/taps.ts';
import { DISJOINT_VIEWS, type ViewCut } from '../../src/vision/preprocess/views.ts';

const TURNS = [0, 1, 2, 3, 4, 5, 6, 7];
const SIZE = 14;
/** So that views hold pixel values as they are. */
const AS_THEY_ARE = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;

function noise(width: number, height: number) {
  const random = randomStream(width);
  return {
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)),
  };
}

const CUTS: [string, ViewCut][] = [
  ...DISJOINT_VIEWS.map((view): [string, ViewCut] => [view, view]),
  ['windows', { side: 2 / 3, across: 5, down: 2 }],
  ['windows of another share', { side: 0.29, across: 4, down: 5 }],
  ['a single window', { side: 1, across: 1, down: 1 }],
];

describe.each(CUTS)('%s as nodes', (_, plan) => {
  it.each(INTERPOLATIONS)(
    'are the views of the photo, digit for digit, in all turns: %s',
    async (interpolation) => {
      const graph = new GraphWriter();
      const views = viewNodes(graph, 'photos', { plan, size: SIZE, interpolation });
      graph.node('Identity', [turnNodes(graph, views, TURNS)], {}, 'views');
      const session = await InferenceSession.create(
        modelBytes({
          nodes: graph.nodes,
          initializers: graph.initializers,
          inputs: [valueInfo('photos', { dtype: 'uint8', shape: ['photos', 'height', 'width', 3] })],
          outputs: [valueInfo('views', { dtype: 'float32', shape: ['photos', 8, 'views', 3, SIZE, SIZE] })],
          declared: [],
        }),
      );
      // Odd sides, enlarging and shrinking, lying and upright (up to where columns come first and beyond), larger than
      // windows reach, and tiny.
      for (const [width, height] of [
        [37, 60],
        [37, 61],
        [61, 37],
        [9, 131],
        [33, 47],
        [4, 2],
      ] as const) {
        const pixels = noise(width, height);
        const photos = new Tensor('uint8', pixels.data, [1, height, width, 3]);
        const computed = (await session.run({ photos })).views?.data as Float32Array;
        const expected = TURNS.flatMap((turn) => [
          ...prepareViews({ pixels, recipe: { plan, size: SIZE, interpolation, turn, ...AS_THEY_ARE } }),
        ]);
        expect(computed.length).toBe(expected.length);
        expect(expected.filter((value, at) => Math.round(value) !== computed[at])).toEqual([]);
      }
      await session.release();
    },
  );
});
