import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/ground/errors.ts';
import type { Matrix } from '../../src/ground/matrix.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import {
  changedSplit,
  photoSamples,
  remembered,
  type SampleFacts,
  type SampleSource,
  Samples,
  TrainingSamples,
  unknownSample,
} from '../../src/samples/samples.ts';

const COUNT = 4;
const facts: readonly SampleFacts[] = Array.from({ length: COUNT }, (_, item) => ({
  ...unknownSample(`ID${item}`),
  session: `session ${item % 2}`,
  group: `group ${item % 2}`,
  measured: item !== 3,
  weight: item === 3 ? 0.4 : 1,
  state: item === 0 ? 'Tas' : null,
}));
const targets = facts.map((_, item) => targetsFromComponents({ green: item, dead: 1, clover: 0 }));
const PHOTOS = facts.map(({ id }) => `${id}.jpg`);

/** Photos whose features are ten times the photo's number, and one more a turn; `asked` holds the turns made. */
function watchedSource(): SampleSource & { readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    photos: PHOTOS,
    async features(turn) {
      asked.push(turn);
      return {
        rows: COUNT,
        columns: 1,
        data: Float64Array.from({ length: COUNT }, (_, item) => 10 * item + turn),
      };
    },
  };
}

const doubled = (matrix: Matrix): Matrix => ({ ...matrix, data: matrix.data.map((value) => 2 * value) });
const valuesOf = async (samples: Samples): Promise<number[]> => [...(await samples.features()).data];

describe('samples', () => {
  it('make no features before they are asked for, however they are taken, changed and turned', async () => {
    const source = watchedSource();
    const samples = new TrainingSamples(facts, source, targets);
    const changed = samples.withFeatures(doubled).take([3, 1]).withTargets(targets.slice(0, 2)).turned(5);
    expect(source.asked).toEqual([]);
    expect(await valuesOf(changed)).toEqual([70, 30]);
    expect(source.asked).toEqual([5]);
  });

  it('make the features of each turn once, also when two ask at the same time', async () => {
    const source = watchedSource();
    const samples = new Samples(facts, remembered(source));
    const [first, again] = await Promise.all([samples.features(), samples.features()]);
    expect(again).toBe(first);
    await samples.take([0]).features();
    await samples.withFeatures(doubled).features();
    expect(source.asked).toEqual([0]);
    await samples.turned(2).features();
    await samples.turned(2).take([1]).features();
    expect(source.asked).toEqual([0, 2]);
  });

  it('change features once a turn', async () => {
    let changes = 0;
    const changed = new Samples(facts, watchedSource()).withFeatures((matrix) => {
      changes += 1;
      return doubled(matrix);
    });
    await changed.features();
    await changed.take([2]).features();
    expect(changes).toBe(1);
    await changed.turned(1).features();
    expect(changes).toBe(2);
  });

  it('keep facts, photos, features and turn together in the order that is taken', async () => {
    const taken = new Samples(facts, watchedSource(), 3).take([2, 0]);
    expect(taken.count).toBe(2);
    expect(taken.facts).toEqual([facts[2], facts[0]]);
    expect(taken.photos).toEqual(['ID2.jpg', 'ID0.jpg']);
    expect(taken.turn).toBe(3);
    expect(await valuesOf(taken)).toEqual([23, 3]);
    expect(await valuesOf(taken.take([1]))).toEqual([3]);
    expect(taken.take([]).count).toBe(0);
  });

  it('keep facts, photos and turn where features change, and facts and features where they are turned', async () => {
    const samples = new Samples(facts, watchedSource(), 3);
    const changed = samples.withFeatures(doubled);
    expect(changed.facts).toEqual(facts);
    expect(changed.photos).toEqual(PHOTOS);
    expect(changed.turn).toBe(3);
    expect(await valuesOf(changed)).toEqual([6, 26, 46, 66]);
    expect(await valuesOf(changed.turned(1))).toEqual([2, 22, 42, 62]);
    expect(samples.turned(1).facts).toEqual(facts);
    expect(await valuesOf(samples)).toEqual([3, 13, 23, 33]);
    const other = samples.withSource({ ...watchedSource(), photos: null });
    expect(other.facts).toEqual(facts);
    expect(other.turn).toBe(3);
  });

  it('say where there are no photos', () => {
    const rows = new Samples(facts, { ...watchedSource(), photos: null });
    expect(rows.hasPhotos).toBe(false);
    expect(() => rows.photos).toThrow(UsageError);
    expect(rows.take([1]).hasPhotos).toBe(false);
    const photos = photoSamples([{ imageId: 'a', path: 'here/a.jpg' }]);
    expect(photos.hasPhotos).toBe(true);
    expect(photos.photos).toEqual(['here/a.jpg']);
    expect(photos.facts).toEqual([unknownSample('a')]);
  });
});

describe('training samples', () => {
  const samples = new TrainingSamples(facts, watchedSource(), targets);

  it('are rows with everything that is known of them', async () => {
    expect(await samples.rows()).toEqual({
      inputs: { rows: COUNT, columns: 1, data: Float64Array.of(0, 10, 20, 30) },
      targets,
      observed: targets,
      groups: ['group 0', 'group 1', 'group 0', 'group 1'],
      measured: [true, true, true, false],
      weights: [1, 1, 1, 0.4],
      covariates: null,
    });
  });

  it('keep masses with their samples', async () => {
    const taken = await samples.withFeatures(doubled).take([3, 1]).rows();
    expect(taken).toEqual({
      inputs: { rows: 2, columns: 1, data: Float64Array.of(60, 20) },
      targets: [targets[3], targets[1]],
      observed: [targets[3], targets[1]],
      groups: ['group 1', 'group 1'],
      measured: [false, true],
      weights: [0.4, 1],
      covariates: null,
    });
  });

  it('can be told other masses', async () => {
    const others = [...targets].reverse();
    const told = samples.withTargets(others);
    expect(told.targets).toEqual(others);
    expect(told.facts).toEqual(facts);
    expect(samples.targets).toEqual(targets);
  });

  it('may be scored by other masses than those that are fitted to', () => {
    const observed = targets.map((masses) => ({ ...masses, dead: Number.NaN }));
    const told = samples.withTargets(targets, observed).withFeatures(doubled).take([2, 0]);
    expect(told.targets).toEqual([targets[2], targets[0]]);
    expect(told.observed).toEqual([observed[2], observed[0]]);
  });

  it('are changed on both sides of a split alike, where there are two', async () => {
    const change = (side: TrainingSamples): TrainingSamples => side.withFeatures(doubled);
    const both = changedSplit({ train: samples.take([1, 2]), validation: samples.take([3]) }, change);
    expect(await valuesOf(both.train)).toEqual([20, 40]);
    expect(both.validation && (await valuesOf(both.validation))).toEqual([60]);
    expect(changedSplit({ train: samples, validation: null }, change).validation).toBeNull();
  });
});
