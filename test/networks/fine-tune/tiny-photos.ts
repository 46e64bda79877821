import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../../src/ground/random.ts';
import type { FitContext, MetricLine, TrainingSet } from '../../../src/learning/estimator.ts';
import { type NetworkSettings, networkSettings } from '../../../src/networks/network/settings.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import type { PhotoSet } from '../../../src/samples/photo-set.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { type FeaturePlan, featurePlan } from '../../../src/vision/features/index.ts';
import type { ResolvedWeights } from '../../../src/vision/weights/index.ts';
import { writePhoto } from '../../support/small-data-folder.ts';
import { noisyWeights, writeWeights } from '../../vision/backbones/tiny.ts';

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

/** Photos whose greenness follows the green mass, of `sessions` sessions. */
export async function writeTinyPhotos(
  folder: string,
  count: number,
  sessions = 4,
): Promise<TrainingSet<PhotoSet>> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  const targets = [];
  for (let index = 0; index < count; index++) {
    const path = join(folder, `${index}.jpg`);
    const green = 5 + (60 * index) / count;
    await writePhoto(path, green, index);
    paths.push(path);
    targets.push(targetsFromComponents({ green, dead: 3 + (index % 3), clover: index % 2 }));
  }
  return { inputs: { paths }, targets, groups: paths.map((_, index) => `session ${index % sessions}`) };
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
