import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import type { MetricLine } from '../../../src/learning/estimator.ts';
import type { Weights } from '../../../src/networks/inputs/input.ts';
import { network } from '../../../src/networks/network.ts';
import type { Validation } from '../../../src/networks/objectives/objective.ts';
import { type BatchSource, type EpochsSpec, trainEpochs } from '../../../src/networks/training/epochs.ts';
import {
  networkGroups,
  networkOptimizer,
  rateSchedule,
} from '../../../src/networks/training/optimization.ts';
import { dropout, input, linearLayer, meanSquaredError, Scope, Training } from '../../../src/tensor/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { contextOf, settingsOf, smallSet } from '../small-sets.ts';

const root = temporaryFolder('epochs');
const BATCH = 4;

/** Photos 0 … 9 as a source that counts what it is asked for, and fails when `fails` says so. */
function sourceOf(asked: number[][], fails: (batches: number) => boolean): BatchSource {
  return {
    count: 10,
    async batch(items, random) {
      asked.push([...items]);
      if (fails(asked.length)) throw new Error('killed');
      const values = Array.from({ length: BATCH }, (_, row) => items[row] ?? 0);
      return {
        x: Float32Array.from(values.flatMap((value) => [value / 10, random.uniform()])),
        y: Float32Array.from(values, (value) => Math.sin(value)),
      };
    },
  };
}

interface Trained {
  readonly weights: Weights;
  readonly lines: MetricLine[];
  readonly asked: number[][];
}

/** Trains a layer with dropout and averages; `fails` kills it in the middle. */
async function train(
  options: {
    readonly fails?: (batches: number) => boolean;
    readonly checkpoint?: object;
    readonly scores?: readonly number[];
    readonly schedule?: object;
  } & Pick<EpochsSpec, 'checkpointFolder' | 'saveSeconds'> = {},
): Promise<Trained> {
  const { fails = () => false, scores, checkpoint = {}, schedule, ...rest } = options;
  const settings = settingsOf({
    architecture: { kind: 'mlp' },
    epochs: 5,
    batch: BATCH,
    checkpoint,
    schedule: schedule ?? { kind: 'plateau', patience: 1 },
  });
  const scope = Scope.root({ random: randomStream(1) });
  const x = dropout(scope.forTraining(), input('x', [BATCH, 2]), 0.3);
  const loss = meanSquaredError(linearLayer(scope.in('layer'), x, 1), input('y', [BATCH, 1]));
  const training = await Training.compile({
    loss,
    optimizer: networkOptimizer(settings.optimizer),
    groups: networkGroups(scope.parameters, settings.optimizer),
    random: randomStream(2),
    averageDecay: 0.5,
  });
  const lines: MetricLine[] = [];
  const asked: number[][] = [];
  const validate = async (): Promise<Validation> => {
    const score = scores?.[lines.length] ?? 0;
    return { score, loss: -score, line: { 'validation weighted R²': score, 'validation loss': -score } };
  };
  try {
    const weights = await trainEpochs({
      training,
      parameters: scope.parameters,
      source: sourceOf(asked, fails),
      settings,
      random: randomStream(3),
      record: (line) => lines.push(line),
      ...(scores && { validate }),
      ...rest,
    });
    return { weights, lines, asked };
  } finally {
    await training.dispose();
  }
}

describe('the epoch loop', () => {
  it('sees every photo once an epoch, in another order every time', async () => {
    const { asked } = await train();
    expect(asked).toHaveLength(5 * 3);
    const orders = Array.from({ length: 5 }, (_, epoch) => asked.slice(3 * epoch, 3 * epoch + 3).flat());
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(orders.map(String)).size).toBe(5);
  });

  it.each([1, 4, 8, 15])('killed at batch %i and resumed ends with the same bits and lines', async (at) => {
    const whole = await train();
    for (const saveSeconds of [0, 30]) {
      const checkpointFolder = join(root, `kill ${at} ${saveSeconds}`);
      const fails = (batches: number): boolean => batches === at;
      await expect(train({ checkpointFolder, saveSeconds, fails })).rejects.toThrow('killed');
      const resumed = await train({ checkpointFolder, saveSeconds });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.lines).toEqual(whole.lines);
      if (saveSeconds === 0 && at > 4) expect(resumed.asked.length).toBeLessThan(15);
    }
  });

  it('lets validation photos steer the rate only where they may choose', async () => {
    const rising = [0.1, 0.2, 0.3, 0.4, 0.5];
    const rates = ({ lines }: Trained): unknown[] => lines.map((line) => line['learning rate']);
    const alone = await train();
    expect(rates(await train({ scores: rising }))).toEqual(rates(alone));
    expect(rates(await train({ scores: rising, checkpoint: { choice: 'best-fold' } }))).not.toEqual(
      rates(alone),
    );
  });

  it('resumed after its end gives what it gave', async () => {
    const checkpointFolder = join(root, 'finished');
    const first = await train({ checkpointFolder });
    const second = await train({ checkpointFolder });
    expect(second.asked).toEqual([]);
    expect(second.weights).toEqual(first.weights);
    expect(second.lines).toEqual(first.lines);
    expect(readdirSync(checkpointFolder)).toHaveLength(1);
  });

  it('clears away what a kill has left, and says which state is damaged', async () => {
    const checkpointFolder = join(root, 'damaged');
    const first = await train({ checkpointFolder });
    const [state = ''] = readdirSync(checkpointFolder);
    mkdirSync(join(checkpointFolder, 'state-0'));
    mkdirSync(join(checkpointFolder, '.state-9.1.abc.part'));
    expect((await train({ checkpointFolder })).weights).toEqual(first.weights);
    expect(readdirSync(checkpointFolder)).toEqual([state]);
    writeFileSync(join(checkpointFolder, state, 'loop.json'), '{"epoch": -1}');
    await expect(train({ checkpointFolder })).rejects.toThrow(
      /loop\.json: cannot be read as a training state \(epoch: /,
    );
  });

  it('does not train on for ever from a state that is past its end', async () => {
    const checkpointFolder = join(root, 'past');
    await train({ checkpointFolder });
    const path = join(checkpointFolder, readdirSync(checkpointFolder)[0] ?? '', 'loop.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"epoch":\d+/, '"epoch":500'));
    await expect(train({ checkpointFolder })).rejects.toThrow(
      /says that 500 epochs of 5 are done; start again/,
    );
  });

  const scores = [0.1, 0.3, 0.2, 0.25, 0.1];

  it('keeps the weights of the best epoch', async () => {
    const schedule = { kind: 'cosine' };
    const best = await train({ scores, schedule, checkpoint: { choice: 'best-inner' } });
    const last = await train({ scores, schedule, checkpoint: { choice: 'last' } });
    const short = await train({ scores: [0.3, 0.1], checkpoint: { choice: 'best-fold' } });
    expect(best.lines).toEqual(last.lines);
    expect(best.weights).not.toEqual(last.weights);
    expect(short.weights).not.toEqual(best.weights);
    expect(best.lines.map((line) => line['validation weighted R²'])).toEqual(scores);
  });

  it('stops when the score has not risen for as long as its patience, also when resumed', async () => {
    const checkpoint = { choice: 'best-inner', patience: 2 };
    const whole = await train({ scores, checkpoint });
    expect(whole.lines).toHaveLength(4);
    const checkpointFolder = join(root, 'patience');
    const fails = (batches: number): boolean => batches === 11;
    const options = { scores, checkpoint, checkpointFolder, saveSeconds: 0 };
    await expect(train({ ...options, fails })).rejects.toThrow('killed');
    expect(await train(options)).toMatchObject({ weights: whole.weights, lines: whole.lines });
  });
});

describe('a network with a checkpoint folder', () => {
  it('goes on with the member it was at', async () => {
    const settings = settingsOf({
      architecture: { kind: 'mlp', hidden: [8] },
      loss: { mse: 1 },
      mixup: { probability: 0.5 },
      epochs: 4,
      members: 3,
      checkpoint: { choice: 'best-inner' },
    });
    const set = smallSet();
    const split = { train: set, validation: null };
    const undisturbed = contextOf(5);
    const whole = await network(settings).fit(split, undisturbed);
    const folder = join(root, 'members');
    for (const stopAt of [3, 7, 9]) {
      const context = contextOf(5, folder);
      const record = (line: MetricLine): void => {
        context.record(line);
        if (line.epoch === stopAt) throw new Error('killed');
      };
      await expect(network(settings).fit(split, { ...context, record })).rejects.toThrow('killed');
    }
    const last = contextOf(5, folder);
    const resumed = await network(settings).fit(split, last);
    expect(last.lines).toEqual(undisturbed.lines);
    expect(await resumed.predict(set)).toEqual(await whole.predict(set));
    rmSync(folder, { recursive: true });
  });
});

describe('rates', () => {
  const scheduleOf = (schedule: object): ReturnType<typeof rateSchedule> =>
    rateSchedule(
      settingsOf({ architecture: { kind: 'mlp' }, optimizer: { rate: 0.1 }, schedule, epochs: 4 }),
      10,
    );

  it('follow the schedule over all steps', () => {
    const cosine = scheduleOf({ kind: 'cosine', warmUp: 1, floor: 0.01 });
    expect([cosine(0, []), cosine(5, []), cosine(10, [])]).toEqual([0, 0.05, 0.1]);
    expect(cosine(40, [])).toBeCloseTo(0.001, 9);
    expect(scheduleOf({ kind: 'constant' })(33, [])).toBe(0.1);
    expect(scheduleOf({ kind: 'one-cycle' })(11, [])).toBeCloseTo(0.1, 9);
    const plateau = scheduleOf({ kind: 'plateau', patience: 1, factor: 0.5 });
    expect([plateau(0, [3, 2]), plateau(0, [3, 3, 3])]).toEqual([0.1, 0.05]);
  });
});
