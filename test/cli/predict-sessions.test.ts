import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('predict-sessions');
const at = (name: string): string => join(root, name);
const sward = hostSward();
let files: SmallFeatureFiles;

/** Trains on photos of five dates, of which each has photos of two States, or of one. */
async function train(out: string, group: string, changedState: (state: string) => string): Promise<void> {
  const labels = at(`${out}.csv`);
  const dated = (_: string, day: string, state: string): string =>
    `2015/${Math.ceil(Number(day) / 2)}/4,${changedState(state)},`;
  writeFileSync(labels, readFileSync(files.labels, 'utf8').replaceAll(/2015\/(\d+)\/4,(WA|Vic),/g, dated));
  const { code, stderr } = await sward(
    ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', labels],
    ...['--recipe', 'feature-ridge', '--set', 'estimator.kind=ridge', '--set', 'estimator.penalties=0.1'],
    ...['--set', 'evaluation.leaveOneStateOut=false', '--folds', '3', '--group', group, '--out', at(out)],
  );
  expect(code, stderr).toBe(0);
}

/** What `sward predict` writes and notes. */
async function predicted(run: string, coverage: number): Promise<{ csv: string; note: string }> {
  const out = at('predictions.csv');
  const features = ['--features', files.features[0] ?? '', '--ids', files.ids];
  const asked = ['predict', at(run), ...features, '--coverage', String(coverage), '--out', out];
  const { code, stderr } = await sward(...asked);
  expect(code, stderr).toBe(0);
  return { csv: readFileSync(out, 'utf8'), note: stderr };
}

beforeAll(async () => {
  files = await writeSmallFeatures(at('data'), 40, 1);
  await train('two-states', 'date', (state) => state);
  await train('one-state', 'date', () => 'Vic');
  await train('by-state', 'date-state', (state) => state);
});

describe('intervals of a run whose photos of one date were taken in two States', () => {
  it('are calibrated on the sessions that its folds kept together: dates, where it groups by date', async () => {
    const [two, one] = [await predicted('two-states', 0.7), await predicted('one-state', 0.7)];
    expect(two.csv).toBe(one.csv);
    expect((await predicted('two-states', 0.9)).note).toMatch(/note: the run was trained on 5 sessions/);
  });

  it('are calibrated on dates and States where it groups by both', async () => {
    expect((await predicted('by-state', 0.95)).note).toMatch(/note: the run was trained on 10 sessions/);
  });
});
