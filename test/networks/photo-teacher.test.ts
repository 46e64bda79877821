import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { MetricLine } from '../../src/learning/estimator.ts';
import { PhotoViews, photoMemory } from '../../src/networks/inputs/photo-views.ts';
import { openPhotoBackbone } from '../../src/networks/inputs/photos.ts';
import { massObjective } from '../../src/networks/objectives/masses.ts';
import { photoNetwork } from '../../src/networks/photo-network.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import type { TrainingSamples } from '../../src/samples/samples.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { withFacts } from './small-sets.ts';
import {
  contextOf,
  HALVES,
  sourceOf,
  tinySettings,
  writeTinyBackbone,
  writeTinyPhotos,
} from './tiny-photos.ts';

const root = temporaryFolder('taught-photos');
configure({ cacheFolder: join(root, 'cache') });
let weights: ResolvedWeights;
let photos: TrainingSamples;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
  const plain = await writeTinyPhotos(join(root, 'photos'), 8, { weights });
  photos = withFacts(plain, (facts, photo) => ({
    ...facts,
    state: 'Tas',
    ndvi: (plain.targets[photo]?.green ?? 0) / 80,
  }));
});

const TAUGHT = { teacher: { weight: 0.5, sees: ['ndvi', 'state'] } };

const tenfold = (grams: number): Targets => targetsFromComponents({ green: 10 * grams, dead: 0, clover: 0 });

/** What training on the photos says of itself and of them afterwards. */
async function trained(draft: object, context = contextOf()) {
  const estimator = photoNetwork(tinySettings(draft), sourceOf(weights));
  const model = await estimator.fit({ train: photos, validation: null }, context);
  const masses = await model.predict(photos);
  await model.release();
  return { masses, lines: context.lines };
}

describe('a teacher of a network that learns from photos', () => {
  const draft = { fineTune: { mode: 'last', lastBlocks: 1 }, augmentation: 'light' };

  it('is heard, and tells in every epoch what metadata alone are worth', async () => {
    const alone = await trained(draft);
    const { masses, lines } = await trained({ ...draft, ...TAUGHT });
    expect(masses).not.toEqual(alone.masses);
    const scores = lines.map((line) => line['teacher weighted R²']);
    expect(scores).toEqual([scores[0], scores[0]]);
    expect(scores[0]).toBeGreaterThan(0.5);
    expect(alone.lines[0]).not.toHaveProperty('teacher weighted R²');
  });

  it('teaches heads that are trained on features first as well', async () => {
    const stages = { ...draft, fineTune: { ...draft.fineTune, headEpochs: 1 }, epochs: 1 };
    const { lines } = await trained({ ...stages, ...TAUGHT });
    const { lines: alone } = await trained(stages);
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(lines[0]?.['training loss']).not.toBe(alone[0]?.['training loss']);
    expect(lines[0]?.['teacher weighted R²']).toBe(lines[1]?.['teacher weighted R²']);
  });

  it('has its word mixed as the measured masses and the photos are', async () => {
    const settings = tinySettings({ ...draft, ...TAUGHT, augmentation: { batch: { probability: 1 } } });
    const labels = {
      targets: photos.targets,
      teacherMasses: photos.targets.map(({ total }) => tenfold(total)),
    };
    const net = await openPhotoBackbone(weights, HALVES);
    const views = new PhotoViews(net, photoMemory(64), settings);
    const items = [0, 3, 6, 7];
    const { mix } = await views.examples(photos).drawn(items, 4, randomStream(2));
    const drawn = { random: randomStream(2), mix };
    const fed = massObjective(labels, settings).feeds(labels, items, 4, drawn);
    await views.close();
    const [measured, taught] = ['label.targets', 'label.teacherMasses'].map(
      (name) => fed[name] as Float32Array,
    );
    const total = (row: number): number => measured?.[5 * row + 4] as number;
    expect(total(0)).not.toBeCloseTo(photos.targets[0]?.total as number, 3);
    for (const row of [0, 1, 2, 3]) expect(taught?.[5 * row]).toBeCloseTo(10 * total(row), 2);
  });

  it('changes nothing where it counts for nothing', async () => {
    const zero = await trained({ ...draft, teacher: { weight: 0 } });
    expect(zero).toEqual(await trained(draft));
  });

  it('says the same after an interruption', async () => {
    const whole = await trained({ ...draft, ...TAUGHT });
    const states = join(root, 'states');
    const estimator = photoNetwork(tinySettings({ ...draft, ...TAUGHT }), sourceOf(weights));
    const interrupted = estimator.fit(
      { train: photos, validation: null },
      {
        ...contextOf(states),
        record(line: MetricLine) {
          if (line.epoch === 2) throw new Error('interrupted');
        },
      },
    );
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(await trained({ ...draft, ...TAUGHT }, contextOf(states))).toEqual(whole);
  });

  it('needs something to see besides the photos', async () => {
    await expect(trained({ ...draft, teacher: { weight: 0.5, sees: [] } })).rejects.toThrow(
      /the teacher sees nothing where photos are trained on; name in estimator\.teacher\.sees/,
    );
    await expect(trained({ ...draft, teacher: { weight: 0.5, sees: ['height'] } })).rejects.toThrow(
      /no label says the height of a photo/,
    );
  });
});
