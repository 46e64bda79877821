import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { network } from '../../../src/networks/network.ts';
import { predictTrainingPhotos, type TeacherSettings } from '../../../src/networks/objectives/teacher.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical, targetsFromComponents } from '../../../src/pasture/physics.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import {
  featureRows,
  type PhotoAttributes,
  TrainingSamples,
  unknownSample,
} from '../../../src/samples/samples.ts';
import { contextOf, settingsOf, smallSet, withFacts } from '../small-sets.ts';

const set = smallSet();
const all = set.targets.map((_, photo) => photo);

function teacherOf(draft: object = {}): TeacherSettings {
  const { teacher } = settingsOf({ architecture: { kind: 'mlp' }, teacher: { weight: 0.5, ...draft } });
  if (!teacher) throw new Error('there is a teacher');
  return teacher;
}

/** What photos of a training set are taught by their metadata. */
function taughtBy(training: TrainingSamples, draft: object = {}, photos = all) {
  const settings = teacherOf({ innerFolds: 6, ...draft });
  return predictTrainingPhotos({ training, features: null, settings, random: randomStream(1) }, photos);
}

/** Photos with these masses, groups and attributes, of which nothing else matters. */
function known(photos: {
  readonly targets: readonly Targets[];
  readonly groups: readonly string[];
  readonly attributes: readonly PhotoAttributes[];
}): TrainingSamples {
  const facts = photos.groups.map((group, photo) => ({
    ...unknownSample(String(photo)),
    ...photos.attributes[photo],
    ...{ session: group, group, measured: true },
  }));
  const noRows = featureRows({ rows: 0, columns: 0, data: new Float64Array() });
  return new TrainingSamples(facts, noRows, photos.targets);
}

const heavier = ({ green, dead, clover }: Targets, grams: number): Targets =>
  targetsFromComponents({ green: green + grams, dead, clover });

const withoutAttributes = (samples: TrainingSamples): TrainingSamples =>
  withFacts(samples, ({ id, session, group }) => ({
    ...unknownSample(id),
    ...{ session, group, measured: true },
  }));

describe('a teacher that sees more than the photo', () => {
  it.each([true, false])('of a session has not seen it (features: %s)', async (seesFeatures) => {
    const features = await set.features();
    const settings = teacherOf({ innerFolds: 6, features: seesFeatures });
    const taught = (targets: readonly Targets[]): readonly Targets[] =>
      predictTrainingPhotos(
        { training: set.withTargets(targets), features, settings, random: randomStream(1) },
        all,
      ).masses;
    const before = taught(set.targets);
    for (const session of new Set(set.groups)) {
      const own = (photo: number): boolean => set.groups[photo] === session;
      const after = taught(set.targets.map((masses, photo) => (own(photo) ? heavier(masses, 500) : masses)));
      all.forEach((photo) => {
        if (own(photo)) expect(after[photo]).toEqual(before[photo]);
        else expect(after[photo]).not.toEqual(before[photo]);
      });
    }
  });

  it('knows nothing of photos that are not trained on', () => {
    const train = all.filter((photo) => set.groups[photo] !== 'session 2');
    const targets = set.targets.map((masses, photo) =>
      train.includes(photo) ? masses : heavier(masses, 500),
    );
    const { masses: taught } = taughtBy(set.withTargets(targets), {}, train);
    expect(taught).toEqual(taughtBy(set, {}, train).masses);
    expect(taught).toHaveLength(train.length);
  });

  it('says what the metadata are worth, as its own score', () => {
    const { masses: taught, score } = taughtBy(set);
    expect(taught.every((masses) => isPhysical(masses, 1e-9))).toBe(true);
    expect(score).toBeCloseTo(weightedR2(set.targets, taught), 12);
    const blind = withFacts(set, (facts) => ({ ...facts, ndvi: 0.5, heightCentimetres: 5 }));
    expect(score).toBeGreaterThan(taughtBy(blind).score + 0.2);
  });

  it('tells pseudo-labelled photos their label, and learns nothing from them', () => {
    const withPseudo = (green: number): TrainingSamples =>
      new TrainingSamples(
        [...set.facts, { ...unknownSample('pseudo-labelled 0'), weight: 0.5 }],
        // A teacher of metadata asks for no features.
        featureRows({ rows: 0, columns: 0, data: new Float64Array() }),
        [...set.targets, targetsFromComponents({ green, dead: 1, clover: 0 })],
      );
    const [light, heavy] = [20, 400].map(
      (green) => taughtBy(withPseudo(green), {}, [...all, all.length]).masses,
    );
    expect(light?.at(-1)?.green).toBe(20);
    expect(heavy?.at(-1)?.green).toBe(400);
    expect(light?.slice(0, -1)).toEqual(heavy?.slice(0, -1));
    expect(light?.slice(0, -1)).toEqual(taughtBy(set).masses);
  });

  it('makes do with metadata that are missing, and may learn from their being so', () => {
    const bare = (photo: number): boolean => photo % 2 === 0;
    const attributes = all.map(
      (photo): PhotoAttributes => ({
        state: photo === 3 ? null : 'Tas',
        species: photo % 3 === 0 ? null : 'Ryegrass',
        ndvi: bare(photo) ? null : 0.5 + 0.01 * photo,
        heightCentimetres: null,
        date: null,
      }),
    );
    const targets = all.map((photo) =>
      targetsFromComponents({ green: bare(photo) ? 80 : 20, dead: 1, clover: photo % 2 }),
    );
    // Sessions hold both, so that nothing but the missing reading tells them apart.
    const groups = all.map((photo) => `session ${Math.floor(photo / 4)}`);
    const { masses: taught, score } = taughtBy(known({ targets, groups, attributes }), {
      sees: ['ndvi', 'state', 'species'],
    });
    expect(taught.every(({ total }) => Number.isFinite(total))).toBe(true);
    expect(score).toBeGreaterThan(0.9);
    const { masses: withoutNdvi } = taughtBy(known({ targets, groups, attributes }), {
      sees: ['state', 'species'],
    });
    expect(weightedR2(targets, withoutNdvi)).toBeLessThan(0.5);
  });

  it('sees the season in the sampling date', () => {
    const attributes = all.map((photo) => ({
      state: null,
      species: null,
      ndvi: null,
      heightCentimetres: null,
      date: `201${photo % 5}-${photo % 2 === 0 ? '01' : '07'}-0${1 + (photo % 6)}`,
    }));
    const targets = all.map((photo) =>
      targetsFromComponents({ green: photo % 2 === 0 ? 80 : 20, dead: 1, clover: photo % 2 }),
    );
    const groups = all.map((photo) => `session ${photo % 6}`);
    expect(taughtBy(known({ targets, groups, attributes }), { sees: 'season' }).score).toBeGreaterThan(0.9);
  });

  it('says what is lacking', () => {
    expect(() => taughtBy(withoutAttributes(set))).toThrow(
      /no label says the ndvi of a photo; leave ndvi out of/,
    );
    expect(() => taughtBy(set, { sees: ['season'] })).toThrow(/no label says the sampling date of a photo/);
    expect(() => taughtBy(set, { sees: [] })).toThrow(/the teacher sees nothing where photos are trained on/);
    const together = withFacts(set, (facts) => ({ ...facts, group: 'one' }));
    expect(() => taughtBy(together)).toThrow(/there is only one; set estimator\.teacher\.weight=0/);
    expect(() => teacherOf({ sees: [], features: false })).toThrow(/the teacher sees nothing/);
    expect(() => teacherOf({ sees: ['ndvi', 'ndvi'] })).toThrow(/something is named twice/);
    expect(() => teacherOf({ sees: ['rain'] })).toThrow(/ndvi/);
  });
});

/**
 * Photos whose true masses NDVI tells exactly and features tell among much else; the labels are as noisy as the
 * masses are varied.
 */
function noisySet(photos: number, seed: number): { train: TrainingSamples; truth: readonly Targets[] } {
  const random = randomStream(seed);
  const columns = 40;
  const state = Float64Array.from({ length: photos }, () => random.normal());
  const data = Float64Array.from({ length: photos * columns }, (_, at) =>
    at % columns < 8 ? (state[Math.floor(at / columns)] as number) + random.normal() : random.normal(),
  );
  const masses = (noise: number): Targets[] =>
    Array.from(state, (value) =>
      targetsFromComponents({
        green: Math.max(0, 60 + 15 * value + noise * random.normal()),
        dead: 5,
        clover: 0,
      }),
    );
  const truth = masses(0);
  const facts = Array.from(state, (ndvi, photo) => {
    const group = `session ${photo % 10}`;
    return { ...unknownSample(String(photo)), session: group, group, measured: true, ndvi };
  });
  const source = featureRows({ rows: photos, columns, data });
  return { train: new TrainingSamples(facts, source, masses(30)), truth };
}

const STUDENT = {
  architecture: { kind: 'mlp', hidden: [32], dropout: 0 },
  standardise: true,
  unit: 'mean',
  loss: { mse: 1 },
  optimizer: { rate: 0.005 },
  epochs: 30,
};
const SEES_NDVI = { sees: ['ndvi'], features: false };

describe('a student', () => {
  it('with few noisy labels gets nearer to the truth by what its teacher says, seeing features only', async () => {
    const unseen = noisySet(200, 99);
    const scores = async (teacher: object): Promise<number[]> => {
      const each: number[] = [];
      for (const seed of [1, 2, 3]) {
        const settings = settingsOf({ ...STUDENT, teacher });
        const model = await network(settings).fit(
          { train: noisySet(40, seed).train, validation: null },
          contextOf(seed),
        );
        each.push(weightedR2(unseen.truth, await model.predict(unseen.train)));
      }
      return each;
    };
    const [alone, taught] = [await scores({ weight: 0 }), await scores({ weight: 0.8, ...SEES_NDVI })];
    alone.forEach((score, seed) => {
      expect(taught[seed]).toBeGreaterThan(score + 0.05);
    });
  });

  it('is what it was before there were teachers where theirs counts for nothing', async () => {
    const unlabelled = withoutAttributes(set);
    const [plain, zero] = [settingsOf(STUDENT), settingsOf({ ...STUDENT, teacher: { weight: 0 } })];
    expect(JSON.stringify(zero)).toBe(JSON.stringify(plain));
    expect(Object.keys(plain)).not.toContain('teacher');
    const [alone, untold] = [contextOf(1), contextOf(1)];
    const models = [
      await network(plain).fit({ train: unlabelled, validation: null }, alone),
      await network(zero).fit({ train: set, validation: null }, untold),
    ];
    const [before, after] = await Promise.all(models.map((model) => model.predict(set)));
    expect(after).toEqual(before);
    expect(untold.lines).toEqual(alone.lines);
    expect(untold.lines[0]).not.toHaveProperty('teacher weighted R²');
  });

  it('hears its teacher in every term, and tells in every epoch what the teacher is worth', async () => {
    for (const loss of [{ mse: 1 }, { smoothL1: 1 }, { huber: 1 }, { r2: 1 }, { nll: 1 }]) {
      const draft = { ...STUDENT, loss, epochs: 2 };
      const context = contextOf(1);
      const taught = await network(settingsOf({ ...draft, teacher: { weight: 0.5 } })).fit(
        { train: set, validation: null },
        context,
      );
      const alone = await network(settingsOf(draft)).fit({ train: set, validation: null }, contextOf(1));
      expect(await taught.predict(set), JSON.stringify(loss)).not.toEqual(await alone.predict(set));
      const score = context.lines[0]?.['teacher weighted R²'];
      expect(score).toBeGreaterThan(0.3);
      expect(context.lines.map((line) => line['teacher weighted R²'])).toEqual([score, score]);
    }
  });

  it('whose checkpoint is validated on other sessions is so by what was measured of them, not by a teacher', async () => {
    const draft = {
      ...STUDENT,
      epochs: 3,
      members: 2,
      checkpoint: { choice: 'best-inner', innerFolds: 3 },
      optimizer: { rate: 1e-12 },
    };
    const [alone, told] = [contextOf(1), contextOf(1)];
    await network(settingsOf(draft)).fit({ train: set, validation: null }, alone);
    await network(settingsOf({ ...draft, teacher: { weight: 0.9 } })).fit(
      { train: set, validation: null },
      told,
    );
    // At this rate the weights stay what they were drawn as.
    told.lines.forEach((line, at) => {
      expect(line['validation loss']).toBeCloseTo(alone.lines[at]?.['validation loss'] as number, 4);
      expect(line['training loss']).not.toBeCloseTo(alone.lines[at]?.['training loss'] as number, 1);
    });
    // Each member holds out other sessions, so that each has another teacher.
    const scores = told.lines.map((line) => line['teacher weighted R²']);
    expect(new Set(scores.slice(0, 3)).size).toBe(1);
    expect(scores[3]).not.toBe(scores[0]);
  });
});
