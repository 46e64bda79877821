import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { planQuadrat, renderQuadrat } from '../../../src/sample/photo.ts';
import { planSessions } from '../../../src/sample/session.ts';
import {
  adamW,
  input,
  meanSquaredError,
  parameterGroups,
  Scope,
  Training,
  withoutDecayForSmall,
} from '../../../src/tensor/index.ts';
import { convolutional, vit } from '../small-networks.ts';

const COUNT = 36;
const [HEIGHT, WIDTH] = [16, 32];

/** Rendered quadrats of nine sessions, and the roots of their dry masses, standardised. */
function renderedPhotos(): { readonly image: Float32Array; readonly target: Float32Array } {
  const random = randomStream(11);
  const sessions = planSessions(9, random.fork('sessions'));
  const image = new Float32Array(COUNT * 3 * HEIGHT * WIDTH);
  const roots = Array.from({ length: COUNT }, (_, index) => {
    const own = random.fork(index);
    const plan = planQuadrat(sessions[index % 9] as (typeof sessions)[0], own.fork('plan'));
    const { pixels, components } = renderQuadrat(plan, WIDTH, HEIGHT, own.fork('photo'));
    pixels.forEach((value, at) => {
      const place = (index * 3 + (at % 3)) * HEIGHT * WIDTH + Math.floor(at / 3);
      image[place] = (value / 255 - 0.4) / 0.2;
    });
    return Math.sqrt(components.green + components.dead + components.clover);
  });
  const centre = average(roots);
  const spread = Math.sqrt(average(roots.map((root) => (root - centre) ** 2)));
  return { image, target: Float32Array.from(roots, (root) => (root - centre) / spread) };
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('on photos of the rendered sample', () => {
  const feeds = renderedPhotos();

  it.each([
    ['a small ViT', vit],
    ['a small ConvNet', convolutional],
  ] as const)('%s learns nine tenths of the variance of the mass', async (_, network) => {
    const scope = Scope.root({ random: randomStream(1) });
    const learning = scope.forTraining();
    const predicted = network(learning, input('image', [COUNT, 3, HEIGHT, WIDTH]));
    const weights = scope.parameters.filter(({ trainable }) => trainable);
    const training = await Training.compile(
      {
        loss: meanSquaredError(predicted, input('target', [COUNT, 1])),
        optimizer: adamW({ weightDecay: 0.01 }),
        groups: parameterGroups(weights, [withoutDecayForSmall]),
        random: randomStream(1),
        updates: learning.updates,
      },
      { threads: 1 },
    );
    const course: number[] = [];
    for (let step = 0; step < 100; step++) course.push((await training.run({ ...feeds }, 3e-3)).loss);
    // The targets' own variance is 1.
    expect(average(course.slice(0, 3))).toBeGreaterThan(0.8);
    expect(average(course.slice(-10))).toBeLessThan(0.1);
    await training.dispose();
  });
});
