import { describe, expect, it } from 'vitest';
import { pooledParts } from '../../../src/networks/heads/features.ts';
import type { AuxiliaryOutputs } from '../../../src/networks/objectives/auxiliary.ts';
import {
  type LabelledPhotos,
  labelCodec,
  labelFeeds,
  labelInputs,
} from '../../../src/networks/objectives/labels.ts';
import { networkLoss } from '../../../src/networks/objectives/loss.ts';
import { mixedLabels, mixupInputs } from '../../../src/networks/objectives/mixup.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { type Targets, targetsToArray } from '../../../src/pasture/targets.ts';
import { compile, constant } from '../../../src/tensor/index.ts';
import { settingsOf } from '../small-sets.ts';
import { MEASURED, PREDICTED } from './three-photos.ts';

const TAUGHT = [
  { green: 14, dead: 5, clover: 2 },
  { green: 25, dead: 4, clover: 0 },
  { green: 12, dead: 7, clover: 3 },
].map(targetsFromComponents);

interface Case {
  readonly auxiliary?: AuxiliaryOutputs;
  readonly halves?: readonly number[];
  readonly edgesFrom?: readonly Targets[];
}

/** Loss of three photos; a weight of 0 is a network without a teacher. */
async function lossOf(
  loss: object,
  weight: number,
  photos: LabelledPhotos,
  options: Case = {},
): Promise<number> {
  const settings = settingsOf({ architecture: { kind: 'mlp' }, loss, teacher: { weight } });
  const codec = labelCodec(photos, settings);
  const edges = labelCodec({ ...photos, targets: options.edgesFrom ?? photos.targets }, settings).edges;
  const masses = constant(PREDICTED.flat(), [3, 5]);
  const heads = {
    masses,
    embedding: masses,
    ...(options.halves && { halves: constant([...options.halves], [3, 2, 5]) }),
  };
  const value = networkLoss(heads, options.auxiliary ?? {}, labelInputs(3, codec), settings);
  const program = await compile({ outputs: { loss: value } });
  const result = await program.run(labelFeeds(photos, [0, 1, 2], 3, { ...codec, edges }));
  await program.dispose();
  return Number(result.loss?.values[0]);
}

const both = { targets: MEASURED, teacherMasses: TAUGHT };
const logVariance = constant(new Array<number>(15).fill(Math.log(4)), [3, 5]);
const bins = constant(
  Array.from({ length: 3 * 5 * 3 }, (_, at) => (at * 7) % 5),
  [3, 5, 3],
);
const halves = Array.from({ length: 30 }, (_, at) => 3 + ((at * 11) % 13));

describe('the loss of photos with a teacher', () => {
  it.each([
    ['mse', { mse: 1 }, {}],
    ['SmoothL1', { smoothL1: 1, beta: 2 }, {}],
    ['Huber', { huber: 1, delta: 2, weights: 'nested' }, {}],
    ['mse of halves', { mse: 1 }, { halves }],
    ['Gaussian likelihood', { nll: 1 }, { auxiliary: { logVariance } }],
    [
      'intervals beside mse',
      { mse: 0.2, bins: 0.5, binCount: 3 },
      { auxiliary: { bins }, edgesFrom: MEASURED },
    ],
    ['several together', { mse: 0.2, huber: 0.3, smoothL1: 1 }, {}],
  ] as const)('%s is by its share that of what the teacher says', async (_, loss, options) => {
    const measured = await lossOf(loss, 0, { targets: MEASURED }, options);
    const taught = await lossOf(loss, 0, { targets: TAUGHT }, options);
    expect(Math.abs(taught - measured)).toBeGreaterThan(0.01);
    for (const weight of [0.3, 1]) {
      const expected = (1 - weight) * measured + weight * taught;
      expect(await lossOf(loss, weight, both, options)).toBeCloseTo(expected, 4);
    }
    expect(await lossOf(loss, 0, both, options)).toBe(measured);
  });

  it('R² counts errors from what the teacher says in the spread of what was measured', async () => {
    const column = (rows: readonly Targets[], mass: number): number[] =>
      rows.map((row) => targetsToArray(row)[mass] as number);
    const squares = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value * value, 0);
    const expected = [0.1, 0.1, 0.1, 0.2, 0.5].reduce((sum, share, mass) => {
      const observed = column(MEASURED, mass);
      const mean = observed.reduce((total, value) => total + value, 0) / 3;
      const errors = column(TAUGHT, mass).map((value, row) => value - (PREDICTED[row]?.[mass] ?? 0));
      return sum + (share * squares(errors)) / squares(observed.map((value) => value - mean));
    }, 0);
    expect(await lossOf({ r2: 1 }, 1, both)).toBeCloseTo(expected, 4);
    const measured = await lossOf({ r2: 1 }, 0, { targets: MEASURED });
    expect(await lossOf({ r2: 1 }, 0.25, both)).toBeCloseTo(0.75 * measured + 0.25 * expected, 4);
  });
});

describe('labels of photos with a teacher', () => {
  const settings = settingsOf({ architecture: { kind: 'mlp' }, loss: { mse: 1 }, teacher: { weight: 0.3 } });
  const codec = labelCodec(both, settings);

  it('are mixed with their partners as the photos are, the teacher’s with the measured', async () => {
    const labels = mixedLabels(labelInputs(3, codec), mixupInputs(3));
    const { targets, teacherMasses, weights } = labels;
    if (!teacherMasses) throw new Error('photos have a teacher');
    const program = await compile({ outputs: { targets, teacherMasses, weights } });
    const mixed = await program.run({
      ...labelFeeds(both, [0, 1, 2], 3, codec),
      'mixup.share': Float32Array.of(0.75),
      'mixup.partner': Int32Array.of(1, 0, 2),
    });
    await program.dispose();
    for (const [name, rows] of [
      ['targets', MEASURED],
      ['teacherMasses', TAUGHT],
    ] as const) {
      const own = rows.map(targetsToArray);
      const expected = [1, 0, 2].flatMap((partner, row) =>
        (own[row] as readonly number[]).map((mass, at) => 0.75 * mass + 0.25 * (own[partner]?.[at] ?? 0)),
      );
      Array.from(mixed[name]?.values as Float32Array).forEach((value, at) => {
        expect(value).toBeCloseTo(expected[at] as number, 4);
      });
    }
  });

  it('are what was measured where photos validate and have no teacher', () => {
    const validation = labelFeeds({ targets: MEASURED }, [2, 0], 3, codec);
    expect(validation['label.teacherMasses']).toEqual(validation['label.targets']);
    const train = labelFeeds(both, [2, 0], 3, codec);
    expect(train['label.targets']).toEqual(validation['label.targets']);
    expect(train['label.teacherMasses']).not.toEqual(validation['label.targets']);
  });
});

describe('what a teacher sees of rows with parts', () => {
  it('is their mean in each half, and the further embedding as it is', () => {
    const rows = { rows: 2, columns: 9, data: Float64Array.from({ length: 18 }, (_, at) => at) };
    const shape = { halves: 2, parts: 2, dim: 2, extra: 1 };
    const { columns, data } = pooledParts(rows, shape);
    expect(columns).toBe(5);
    expect([...data]).toEqual([1, 2, 5, 6, 8, 10, 11, 14, 15, 17]);
    expect(pooledParts(rows, { halves: 1, parts: 1, dim: 8, extra: 1 })).toBe(rows);
  });
});
