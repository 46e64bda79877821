import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/ground/random.ts';
import type { FitContext, FittedModel, MetricLine } from '../../src/learning/estimator.ts';
import type { PhotoNetworkSource } from '../../src/networks/photo-network.ts';
import { type NetworkSettings, networkSettings } from '../../src/networks/settings/network.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { type SampleSource, TrainingSamples, unknownSample } from '../../src/samples/samples.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { extractFeatures, type FeaturePlan, featurePlan } from '../../src/vision/features/index.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const CONFIG = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };

/** A random-weight backbone in a file, of 28-pixel views. */
export async function writeTinyBackbone(path: string): Promise<ResolvedWeights> {
  await writeWeights(path, noisyWeights(makeBackbone('dinov2', CONFIG)));
  return {
    path,
    arch: 'dinov2',
    config: CONFIG,
    preprocessing: {
      inputSize: [28, 28],
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode: 'center',
    },
    source: 'file tiny.safetensors',
    sha256: 'a'.repeat(64),
  };
}

export const HALVES: FeaturePlan = featurePlan({ view: 'halves', pooling: 'mean' });

/** Photos whose greenness follows the green mass, of `sessions` sessions; features by `HALVES` of a backbone. */
export async function writeTinyPhotos(
  folder: string,
  count: number,
  { sessions = 4, weights, plan = HALVES }: TinyPhotos = {},
): Promise<TrainingSamples> {
  mkdirSync(folder, { recursive: true });
  const photos: string[] = [];
  const targets = [];
  for (let index = 0; index < count; index++) {
    const path = join(folder, `${index}.jpg`);
    const green = 5 + (60 * index) / count;
    await writePhoto(path, green, index);
    photos.push(path);
    targets.push(targetsFromComponents({ green, dead: 3 + (index % 3), clover: index % 2 }));
  }
  const facts = photos.map((_, index) => {
    const session = `session ${index % sessions}`;
    return { ...unknownSample(String(index)), session, group: session, measured: true };
  });
  const source: SampleSource = {
    photos,
    async features(turn) {
      if (!weights) throw new Error('no features of these photos are needed');
      return extractFeatures(photos, weights, plan, { turn });
    },
  };
  return new TrainingSamples(facts, source, targets);
}

export interface TinyPhotos {
  readonly sessions?: number;
  /** What their features are made with. */
  readonly weights?: ResolvedWeights;
  readonly plan?: FeaturePlan;
}

/** What a network reads photos with. */
export const sourceOf = (weights: ResolvedWeights, plan: FeaturePlan = HALVES): PhotoNetworkSource => ({
  weights: async () => weights,
  plan,
});

/** What a model says in total of samples. */
export async function totalsOf(model: FittedModel, samples: TrainingSamples): Promise<number[]> {
  const predicted = await model.predict(samples);
  await model.release();
  return predicted.map(({ total }) => total);
}

/** Settings of a small network that trains in a moment. */
export function tinySettings(draft: object = {}): NetworkSettings {
  return networkSettings.parse({
    kind: 'network',
    architecture: { kind: 'film-dual', hidden: 8, dropout: 0 },
    unit: 'mean',
    loss: { smoothL1: 1 },
    epochs: 2,
    batch: 4,
    optimizer: { rate: 3e-3 },
    schedule: { kind: 'constant' },
    storage: 'fp32',
    ...draft,
  });
}

/** A context that keeps what is recorded. */
export function contextOf(checkpointFolder?: string): FitContext & { readonly lines: MetricLine[] } {
  const lines: MetricLine[] = [];
  return {
    random: randomStream(5),
    record: (line) => lines.push(line),
    lines,
    ...(checkpointFolder !== undefined && { checkpointFolder }),
  };
}
