import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, errorLine } from '../support/run-sward.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('ensemble-command');
const at = (name: string): string => join(root, name);
const sward = hostSward();
let files: SmallFeatureFiles;

function train(out: string, file: number, ...more: string[]): Promise<CommandOutcome> {
  return sward(
    ...['train', '--features', files.features[file] ?? '', '--ids', files.ids, '--labels', files.labels],
    ...['--recipe', 'feature-ridge', '--set', 'estimator.kind=ridge', '--folds', '3', '--out', at(out)],
    ...['--set', 'evaluation.leaveOneStateOut=false', ...more],
  );
}

beforeAll(async () => {
  files = await writeSmallFeatures(at('data'), 40, 2);
  const outcomes = [await train('a', 0, '--learning-curve'), await train('b', 1, '--seeds', '0,1')];
  for (const { code, stderr } of outcomes) expect(stderr.includes('error') ? stderr : code).toBe(0);
});

describe('ensemble, score and predict', () => {
  it('train over seeds and by number of sessions', () => {
    const repeats = JSON.parse(readFileSync(join(at('b'), 'repeats.json'), 'utf8'));
    expect(repeats.seeds.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
    expect(repeats.weighted_r2.sd).toBeGreaterThan(0);
    expect(readFileSync(join(at('a'), 'report.html'), 'utf8')).toContain('What more sessions would bring');
  });

  it('combine, report, compare and predict', async () => {
    const made = await sward('ensemble', at('a'), at('b/seed-0'), '--out', at('both'), '--json');
    expect(made.code).toBe(0);
    const result = JSON.parse(made.stdout);
    expect(result.ensemble.nested_by).toBe('session');
    const scores = JSON.parse(readFileSync(join(at('both'), 'scores.json'), 'utf8'));
    expect(result.weighted_r2).toBe(scores.out_of_fold.weighted_r2);
    const scored = await sward('score', files.labels, join(at('both'), 'oof.csv'), '--json');
    expect(JSON.parse(scored.stdout)).toMatchObject(scores.out_of_fold);

    const before = readFileSync(join(at('both'), 'report.html'), 'utf8');
    writeFileSync(join(at('both'), 'report.html'), '');
    expect((await sward('report', at('both'))).code).toBe(0);
    expect(readFileSync(join(at('both'), 'report.html'), 'utf8')).toBe(before);

    const compared = await sward('score', '--compare', at('both'), at('a'), '--draws', '200', '--json');
    const comparison = JSON.parse(compared.stdout);
    expect(comparison.weighted_r2.difference).toBeCloseTo(
      result.weighted_r2 - comparison.second.weighted_r2,
      10,
    );
    expect(comparison.n_sessions).toBe(10);

    const predicted = await sward(
      ...['predict', at('both'), '--features', files.features.join(','), '--ids', files.ids],
      ...['--out', at('predictions.csv')],
    );
    expect(predicted.code).toBe(0);
    expect(readFileSync(at('predictions.csv'), 'utf8').trim().split('\n')).toHaveLength(1 + 5 * 40);
  });

  it('tell what they score in States that nothing has seen, or which member cannot', async () => {
    const set = ['--set', 'evaluation.leaveOneStateOut=true'];
    for (const [name, file] of [
      ['c', 0],
      ['d', 1],
    ] as const) {
      expect((await train(name, file, ...set)).code).toBe(0);
    }
    const both = await sward('ensemble', at('c'), at('d'), '--out', at('travelling'), '--json');
    const scores = JSON.parse(readFileSync(join(at('travelling'), 'scores.json'), 'utf8'));
    const { leave_one_state_out } = JSON.parse(both.stdout);
    expect(leave_one_state_out).toBe(scores.leave_one_state_out.pooled.weighted_r2);
    const scored = await sward(
      ...['score', files.labels, join(at('travelling'), 'leave-one-state-out.csv'), '--json'],
    );
    expect(JSON.parse(scored.stdout)).toMatchObject(scores.leave_one_state_out.pooled);
    const shown = await sward('ensemble', at('c'), at('d'), '--out', at('travelling'));
    expect(shown.stdout).toMatch(/^one State held out at a time: weighted R² 0\.\d+$/m);
    const lacking = await sward('ensemble', at('c'), at('a'), '--out', at('staying'));
    expect(lacking.stdout).toMatch(
      /^no score of States held out one at a time: \.\.\/a holds no such predictions/m,
    );
  });

  it('leave dropout on in the members that have it, and refuse to where none has', async () => {
    const network = await sward(
      ...['train', '--features', files.features[1] ?? '', '--ids', files.ids, '--labels', files.labels],
      ...['--recipe', 'feature-mlp', '--set', 'estimator.epochs=2', '--set', 'estimator.members=1'],
      ...['--set', 'estimator.architecture.hidden=8', '--set', 'evaluation.leaveOneStateOut=false'],
      ...['--folds', '3', '--out', at('network')],
    );
    expect(network.code).toBe(0);
    await sward('ensemble', at('a'), at('network'), '--out', at('mixed'), '--weights', '0.5,0.5');
    const predict = (run: string): Promise<CommandOutcome> =>
      sward(
        ...['predict', at(run), '--features', files.features.join(','), '--ids', files.ids],
        ...['--mc-dropout', '4', '--out', at('dropout.csv')],
      );
    expect((await predict('mixed')).code).toBe(0);
    const [head, ...lines] = readFileSync(at('dropout.csv'), 'utf8').trim().split('\n');
    expect(head).toBe('sample_id,target,dropout_spread');
    expect(lines.every((line) => Number(line.split(',')[2]) > 0)).toBe(true);
    const refused = await predict('both');
    expect(refused.code).toBe(2);
    expect(errorLine(refused)).toMatch(/--mc-dropout: every member of the run has a recipe without dropout/);
  });

  it('post-process a single run, and say what each step does', async () => {
    const outcome = await sward(
      ...['ensemble', at('a'), '--out', at('post'), '--weights', '1', '--post', 'calibration'],
    );
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/calibration .*\n.*projection=metric/);
  });

  it.each([
    [
      ['ensemble', 'a', '--out', 'x', '--weights', '1', '--method', 'nnls'],
      /either --weights by hand or a --method/,
    ],
    [['score', 'a'], /give TRUTH.csv and PRED.csv/],
    [
      ['train', 'x', '--recipe', 'descriptor-ridge', '--out', 'y', '--seeds', '4-0'],
      /--seeds 4-0: give seeds as/,
    ],
  ])('%j exits with 2', async (args, message) => {
    const outcome = await sward(...args);
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toMatch(message);
  });
});
