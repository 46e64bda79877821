import { describe, expect, it } from 'vitest';
import { ridge } from '../../src/estimators/kernel/ridge.ts';
import { leafwiseBoostSettings } from '../../src/estimators/trees/boost-settings.ts';
import { leafwiseBoost } from '../../src/estimators/trees/leafwise-boost.ts';
import { randomStream } from '../../src/ground/random.ts';
import type { Estimator, MetricLine } from '../../src/learning/estimator.ts';
import { measuredItems, photoWeights } from '../../src/learning/session-weights.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { fitRows, predictRows, type TaughtRows } from '../support/training-rows.ts';

const PHOTOS = 40;

/** Masses linear in two features; the last ten photos, measured where they count fully, say something else altogether. */
function contradictory(weightOfLast: number | null): TaughtRows {
  const random = randomStream(5);
  const photos = weightOfLast === null ? PHOTOS - 10 : PHOTOS;
  const data = Float64Array.from({ length: photos * 2 }, () => random.normal());
  return {
    inputs: { rows: photos, columns: 2, data },
    targets: Array.from({ length: photos }, (_, row) => {
      const lies = row >= PHOTOS - 10;
      const green = 40 + 8 * (data[2 * row] as number);
      return targetsFromComponents({ green: lies ? 150 : green, dead: 20, clover: 5 });
    }),
    groups: Array.from({ length: photos }, (_, row) => `session ${row % 5}`),
    ...(weightOfLast !== null && {
      weights: Array.from({ length: photos }, (_, row) => (row >= PHOTOS - 10 ? weightOfLast : 1)),
      measured: Array.from({ length: photos }, (_, row) => row < PHOTOS - 10 || weightOfLast === 1),
    }),
  };
}

async function greenOf(
  estimator: Estimator,
  training: TaughtRows,
  lines: MetricLine[] = [],
): Promise<number> {
  const model = await fitRows(estimator, training, {
    random: randomStream(1),
    record: (line) => lines.push(line),
  });
  const [prediction] = await predictRows(model, { rows: 1, columns: 2, data: Float64Array.of(0, 0) });
  return prediction?.green ?? Number.NaN;
}

describe('photo weights', () => {
  it('have mean 1 and weigh sessions alike at exponent 1', () => {
    const weights = photoWeights(
      { groups: ['a', 'a', 'a', 'b'], weights: [1, 1, 1, 1], measured: [true, true, true, true] },
      1,
    );
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(4, 12);
    expect((weights[0] as number) * 3).toBeCloseTo(weights[3] as number, 12);
  });

  it('multiply what the session gives', () => {
    const weights = photoWeights(
      { groups: ['a', 'a', 'b', 'b'], weights: [1, 1, 0.5, 0.5], measured: [true, true, false, false] },
      0.5,
    );
    expect((weights[2] as number) / (weights[0] as number)).toBeCloseTo(0.5, 12);
  });

  it('give photos that were not measured the mean share of a measured one, whatever their group', () => {
    const weights = photoWeights(
      { groups: ['a', 'a', 'b', 'c'], weights: [1, 1, 1, 1], measured: [true, true, true, false] },
      1,
    );
    expect((weights[3] as number) / (weights[2] as number)).toBeCloseTo((0.5 + 0.5 + 1) / 3, 12);
  });

  it('let only measured photos choose settings', () => {
    expect(measuredItems([true, false, true])).toEqual([0, 2]);
    expect(measuredItems([true, true])).toEqual([0, 1]);
  });

  const machines: readonly [string, Estimator][] = [
    ['ridge', ridge({ kind: 'ridge', penalties: [1e-6], sessionWeight: 0, clip: 10 })],
    ['leaf-wise trees', leafwiseBoost(leafwiseBoostSettings.parse({ kind: 'leafwise-boost', members: 1 }))],
  ];
  it.each(machines)('make %s heed photos of weight 1 and ignore those of hardly any', async (_, machine) => {
    const truth = await greenOf(machine, contradictory(null));
    const ignored = await greenOf(machine, contradictory(1e-7));
    const heeded = await greenOf(machine, contradictory(1));
    expect(heeded - truth).toBeGreaterThan(10);
    // Bins, bags and leaf counts see a photo whatever its weight, so trees differ a little.
    expect(Math.abs(ignored - truth)).toBeLessThan((heeded - truth) / 2);
  });

  it('choose a penalty by measured photos', async () => {
    const machine = ridge({ kind: 'ridge', penalties: [1e-6, 1], sessionWeight: 0, clip: 10 });
    const alone: MetricLine[] = [];
    const together: MetricLine[] = [];
    await greenOf(machine, contradictory(null), alone);
    await greenOf(machine, contradictory(1e-7), together);
    const scores = (lines: readonly MetricLine[]): number[] =>
      lines.map((line) => Number(line['weighted R², linear']));
    expect(scores(together)[0]).toBeCloseTo(scores(alone)[0] as number, 3);
  });
});
