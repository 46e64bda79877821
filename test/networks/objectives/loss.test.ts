import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { type AuxiliaryOutputs, auxiliaryHeads } from '../../../src/networks/objectives/auxiliary.ts';
import {
  binEdges,
  binOf,
  type LabelledPhotos,
  labelCodec,
  labelFeeds,
  labelInputs,
} from '../../../src/networks/objectives/labels.ts';
import { type MassLossSettings, networkLoss } from '../../../src/networks/objectives/loss.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import type { PhotoAttributes } from '../../../src/samples/samples.ts';
import { compile, constant, input, Scope } from '../../../src/tensor/index.ts';
import { settingsOf } from '../small-sets.ts';
import { MEASURED, PREDICTED } from './three-photos.ts';

const photos: LabelledPhotos = { targets: MEASURED };

/** Σ w·f(error) over masses, mean over the photos. */
function byHand(weights: readonly number[], each: (error: number) => number, count = 3): number {
  let total = 0;
  for (let photo = 0; photo < count; photo++) {
    const { green, dead, clover, gdm, total: sum } = MEASURED[photo] as (typeof MEASURED)[number];
    [green, dead, clover, gdm, sum].forEach((mass, index) => {
      total += ((weights[index] as number) * each((PREDICTED[photo]?.[index] ?? 0) - mass)) / count;
    });
  }
  return total;
}

async function lossOf(
  draft: object,
  options: {
    readonly photos?: LabelledPhotos;
    readonly items?: readonly number[];
    readonly auxiliary?: AuxiliaryOutputs;
    readonly halves?: readonly number[];
  } = {},
): Promise<number> {
  const settings: MassLossSettings = settingsOf({ architecture: { kind: 'mlp' }, ...draft });
  const labelled = options.photos ?? photos;
  const codec = labelCodec(labelled, settings);
  const masses = constant(PREDICTED.flat(), [3, 5]);
  const heads = {
    masses,
    embedding: masses,
    ...(options.halves && { halves: constant([...options.halves], [3, 2, 5]) }),
  };
  const loss = networkLoss(heads, options.auxiliary ?? {}, labelInputs(3, codec), settings);
  const program = await compile({ outputs: { loss } });
  const result = await program.run(labelFeeds(labelled, options.items ?? [0, 1, 2], 3, codec));
  await program.dispose();
  return Number(result.loss?.values[0]);
}

const METRIC = [0.1, 0.1, 0.1, 0.2, 0.5];

describe('the loss', () => {
  it.each([
    ['mse', { mse: 1 }, METRIC, (e: number) => e * e],
    [
      'mse on components',
      { mse: 1, weights: 'components' },
      [1 / 3, 1 / 3, 1 / 3, 0, 0],
      (e: number) => e * e,
    ],
    [
      'SmoothL1',
      { smoothL1: 1, beta: 2, weights: 'nested' },
      [0.1, 0, 0, 0.2, 0.5],
      (e: number) => (Math.abs(e) < 2 ? (e * e) / 4 : Math.abs(e) - 1),
    ],
    [
      'Huber',
      { huber: 0.5, delta: 2, weights: [1, 0, 0, 0, 0] },
      [0.5, 0, 0, 0, 0],
      (e: number) => (Math.abs(e) < 2 ? (e * e) / 2 : 2 * (Math.abs(e) - 1)),
    ],
  ] as const)(
    '%s is the weighted sum over masses of the mean over photos',
    async (_, loss, weights, each) => {
      expect(await lossOf({ loss })).toBeCloseTo(byHand(weights, each), 4);
    },
  );

  it('R² is Σ w·SS_res/SS_tot', async () => {
    const columns = [0, 1, 2, 3, 4].map((index) => {
      const truth = MEASURED.map(
        ({ green, dead, clover, gdm, total }) => [green, dead, clover, gdm, total].at(index) as number,
      );
      const mean = truth.reduce((sum, value) => sum + value, 0) / 3;
      const residual = truth.reduce((sum, y, row) => sum + (y - (PREDICTED[row]?.[index] ?? 0)) ** 2, 0);
      return residual / truth.reduce((sum, y) => sum + (y - mean) ** 2, 0);
    });
    const expected = columns.reduce((sum, share, index) => sum + share * (METRIC[index] as number), 0);
    expect(await lossOf({ loss: { r2: 1 } })).toBeCloseTo(expected, 4);
  });

  describe('of photos of which some masses were not measured', () => {
    const lacking = (masses: Partial<Targets>, photo = 0): LabelledPhotos => ({
      targets: MEASURED.map((row, index) => (index === photo ? { ...row, ...masses } : row)),
    });
    const total = (value: number): Partial<Targets> => ({ total: value });

    it('passes over them and leaves the others their weights', async () => {
      const own = (PREDICTED[0]?.[4] ?? 0) - (MEASURED[0]?.total ?? 0);
      const whole = byHand(METRIC, (e) => e * e);
      const gaps = await lossOf({ loss: { mse: 1 } }, { photos: lacking(total(Number.NaN)) });
      expect(gaps).toBeCloseTo(whole - (0.5 * own * own) / 3, 4);
    });

    it.each([{ mse: 1 }, { huber: 1 }, { smoothL1: 1 }, { r2: 1 }])('is a number: %o', async (loss) => {
      const none = { green: Number.NaN, dead: Number.NaN, clover: Number.NaN, gdm: Number.NaN };
      expect(await lossOf({ loss }, { photos: lacking(none) })).toBeGreaterThan(0);
    });

    it('R² is of the photos of which the mass was measured', async () => {
      const onlyTotal = { loss: { r2: 1, weights: [0, 0, 0, 0, 1] } };
      const left = await lossOf(onlyTotal, { items: [0, 1] });
      expect(await lossOf(onlyTotal, { photos: lacking(total(Number.NaN), 2) })).toBeCloseTo(left, 4);
    });
  });

  it('adds terms by their shares', async () => {
    const [mse, huber, r2] = [
      await lossOf({ loss: { mse: 1 } }),
      await lossOf({ loss: { huber: 1 } }),
      await lossOf({ loss: { r2: 1 } }),
    ];
    const both = await lossOf({ loss: { mse: 0.5, huber: 0.3, r2: 0.2 } });
    expect(both).toBeCloseTo(0.5 * mse + 0.3 * huber + 0.2 * r2, 4);
  });

  it.each([{ mse: 1 }, { r2: 1 }, { smoothL1: 1 }])(
    'does not see rows that only fill the batch: %j',
    async (loss) => {
      // The third photo repeats the second, with another prediction.
      const filled = await lossOf({ loss }, { items: [0, 1] });
      const weighted = await lossOf({ loss }, { photos: { ...photos, weights: [1, 1, 0] } });
      expect(filled).toBeCloseTo(weighted, 4);
      if ('mse' in loss)
        expect(filled).toBeCloseTo(
          byHand(METRIC, (e) => e * e, 2),
          4,
        );
    },
  );

  it('counts photos by their weights', async () => {
    const light = await lossOf({ loss: { mse: 1 } }, { photos: { ...photos, weights: [3, 1, 0] } });
    const first = await lossOf({ loss: { mse: 1 } }, { photos: { ...photos, weights: [1, 0, 0] } });
    const second = await lossOf({ loss: { mse: 1 } }, { photos: { ...photos, weights: [0, 1, 0] } });
    expect(light).toBeCloseTo(0.75 * first + 0.25 * second, 4);
  });

  it('holds each half against half the label', async () => {
    const halves = MEASURED.flatMap(({ green, dead, clover, gdm, total }) => {
      const half = [green, dead, clover, gdm, total].map((mass) => mass / 2);
      return [...half, ...half.map((mass) => mass + 1)];
    });
    expect(await lossOf({ loss: { mse: 1 } }, { halves })).toBeCloseTo(0.5, 5);
  });

  it('with variances is half the log variance and the scaled square', async () => {
    const logVariance = constant(new Array<number>(15).fill(Math.log(4)), [3, 5]);
    const expected = byHand(METRIC, (e) => 0.5 * (Math.log(4) + (e * e) / 4));
    expect(await lossOf({ loss: { nll: 1 } }, { auxiliary: { logVariance } })).toBeCloseTo(expected, 4);
  });

  it('with bins is the cross entropy of the interval', async () => {
    const even = constant(new Array<number>(3 * 5 * 4).fill(0), [3, 5, 4]);
    const loss = { mse: 1, bins: 0.3, binCount: 4 };
    const masses = await lossOf({ loss: { mse: 1 } });
    const both = await lossOf({ loss }, { auxiliary: { bins: even } });
    expect(both - masses).toBeCloseTo(0.3 * Math.log(4), 4);
  });

  it('leaves out what is not known of a photo', async () => {
    const known: PhotoAttributes = {
      ...{ state: 'Tas', species: null, ndvi: 0.4, heightCentimetres: null, date: null },
    };
    const attributes = [known, { ...known, state: 'Vic', ndvi: 0.8 }, { ...known, state: null, ndvi: null }];
    const ndvi = constant([1, 1, 77], [3, 1]);
    const masses = await lossOf({ loss: { mse: 1 } });
    const draft = { auxiliary: { ndvi: 1 }, loss: { mse: 1 } };
    // Known values are −1 and 1 deviations: errors 2 (Huber: 1.5) and 0.
    const withNdvi = await lossOf(draft, { photos: { ...photos, attributes }, auxiliary: { ndvi } });
    expect(withNdvi - masses).toBeCloseTo(0.75, 4);
    const state = constant([0, 0, 0, 0, 9, 0], [3, 2]);
    const classes = { auxiliary: { state: 1 }, loss: { mse: 1 } };
    const withState = await lossOf(classes, { photos: { ...photos, attributes }, auxiliary: { state } });
    expect(withState - masses).toBeCloseTo((2 * Math.log(2)) / 3, 4);
  });

  it('needs a term, and labels for the heads asked for', async () => {
    await expect(lossOf({})).rejects.toThrow(/the loss has no term for the masses/);
    await expect(lossOf({ auxiliary: { species: 1 } })).rejects.toThrow(/no label says the species/);
  });
});

describe('auxiliary heads', () => {
  it('are those asked for', () => {
    const settings = settingsOf({
      architecture: { kind: 'mlp' },
      loss: { nll: 1, bins: 0.3 },
      auxiliary: { state: 1, height: 0.5 },
    });
    const scope = Scope.root({ random: randomStream(1) });
    const classes = { state: ['Tas', 'Vic', 'WA'], species: [] };
    const heads = auxiliaryHeads(scope, input('x', [2, 4]), settings.loss, settings.auxiliary, classes);
    expect(Object.fromEntries(Object.entries(heads).map(([name, { shape }]) => [name, shape]))).toEqual({
      logVariance: [2, 5],
      bins: [2, 5, 7],
      state: [2, 3],
      height: [2, 1],
    });
  });
});

describe('bins', () => {
  it('hold as many values each, and take every value', () => {
    const values = Array.from({ length: 701 }, (_, at) => at);
    const edges = binEdges(values, 7);
    expect(edges).toEqual([100, 200, 300, 400, 500, 600]);
    expect([-5, 99, 100, 350, 600, 1e9].map((value) => binOf(value, edges))).toEqual([0, 0, 1, 3, 6, 6]);
  });
});
