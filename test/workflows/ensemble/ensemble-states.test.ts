import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { targetsToArray } from '../../../src/pasture/targets.ts';
import { readStatesOut } from '../../../src/runs/leave-one-state-out.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import { type EnsembleOptions, makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { scoreFiles } from '../../../src/workflows/score/score.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { reseal, resultsOf } from '../../support/ask-run.ts';
import {
  featureSource,
  type SmallFeatureFiles,
  writeSmallFeatures,
} from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('ensemble-states');
const members = [join(root, 'states-0'), join(root, 'states-1')];
const [withStates = '', other = ''] = members;
const without = join(root, 'run-1');
let files: SmallFeatureFiles;

async function train(out: string, file: number, leaveOneStateOut: boolean): Promise<void> {
  await trainRun({
    source: featureSource(files, file),
    recipe: await resolveRecipe('feature-ridge', [
      ...['estimator.kind=ridge', 'estimator.penalties=0.1'],
      `evaluation.leaveOneStateOut=${leaveOneStateOut}`,
    ]),
    out,
  });
}

function ensemble(out: string, options: Partial<EnsembleOptions> = {}): Promise<RunResults> {
  return makeEnsemble({ runs: members, out: join(root, out), method: 'nnls', ...options });
}

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 60, 2);
  for (const [index, run] of members.entries()) await train(run, index, true);
  await train(without, 1, false);
});

describe('States held out one at a time', () => {
  /** What a run says of each photo without its State, as text. */
  const statesOut = async (run: string): Promise<Map<string, string>> =>
    new Map(
      [...((await readStatesOut(run)) ?? [])].map(([id, { state, predicted }]) => [
        `${state} ${id}`,
        targetsToArray(predicted)
          .map((mass) => mass.toFixed(6))
          .join(' '),
      ]),
    );

  it('are kept with what a run says of them, which is what its score was computed from', async () => {
    const { leaveOneStateOut: stored } = await resultsOf(withStates);
    const kept = join(withStates, 'leave-one-state-out.csv');
    const score = await scoreFiles(files.labels, kept);
    expect(score.score.weightedR2).toBeCloseTo(stored?.pooled.weightedR2 ?? Number.NaN, 12);
    expect(readFileSync(kept, 'utf8')).toMatch(/^sample_id,target,observed,State\nID100__Dry_Green_g,/);
  });

  it('are predicted by the ensemble with its weights, and scored beside the rest', async () => {
    const results = await ensemble('states-given', { method: 'given', weights: [3, 1] });
    const [a, b] = [await readStatesOut(withStates), await readStatesOut(other)];
    const together = await readStatesOut(join(root, 'states-given'));
    expect(together?.size).toBe(60);
    for (const [id, { predicted }] of together ?? []) {
      const totals = [a, b].map((member) => member?.get(id)?.predicted.total ?? Number.NaN);
      expect(predicted.total).toBeCloseTo(0.75 * (totals[0] ?? 0) + 0.25 * (totals[1] ?? 0), 9);
    }
    const { leaveOneStateOut: states } = results;
    expect(states?.perState.map(({ state, score }) => [state, score.imageCount])).toEqual([
      ['Vic', 30],
      ['WA', 30],
    ]);
    const scores = JSON.parse(readFileSync(join(root, 'states-given', 'scores.json'), 'utf8'));
    expect(scores.leave_one_state_out.pooled.weighted_r2).toBe(states?.pooled.weightedR2);
    expect(results.ensemble?.lacking_states).toEqual([]);
    for (const [index, run] of members.entries()) {
      const { leaveOneStateOut: own } = await resultsOf(run);
      const shown = results.ensemble?.members[index]?.unseen_states;
      expect(shown).toBeCloseTo(own?.pooled.weightedR2 ?? Number.NaN, 12);
    }
    expect(readFileSync(join(root, 'states-given', 'report.html'), 'utf8')).toContain(
      'One State held out at a time',
    );
  });

  it.each([['nnls'], ['caruana'], ['stacking']] as const)(
    'are weighed by %s without anything that was measured or predicted there',
    async (method) => {
      const changed = join(root, `states-changed-${method}`);
      cpSync(withStates, changed, { recursive: true });
      const table = join(changed, 'oof.csv');
      const altered = readFileSync(table, 'utf8')
        .split('\n')
        .map((line) => {
          const cells = line.split(',');
          if (!line.includes(',WA,')) return line;
          cells[1] = String(2 * Number(cells[1]));
          return cells.join(',');
        });
      writeFileSync(table, altered.join('\n'));
      reseal(changed);
      const options = { method, post: 'calibration', shrink: 0 };
      await ensemble(`states-${method}`, { ...options, runs: [withStates, other] });
      await ensemble(`states-${method}-changed`, { ...options, runs: [changed, other] });
      const before = await statesOut(join(root, `states-${method}`));
      const after = await statesOut(join(root, `states-${method}-changed`));
      const differing = [...before.keys()].filter((id) => before.get(id) !== after.get(id));
      expect(differing.some((id) => id.startsWith('Vic '))).toBe(true);
      expect(differing.filter((id) => id.startsWith('WA '))).toEqual([]);
    },
  );

  it('have no score where a member has not predicted them, and the member is named', async () => {
    const results = await ensemble('states-lacking', { runs: [withStates, without] });
    expect(results.leaveOneStateOut).toBeNull();
    expect(results.ensemble?.lacking_states).toEqual(['../run-1']);
    expect(results.ensemble?.members[0]?.unseen_states).toBeUndefined();
    const report = readFileSync(join(root, 'states-lacking', 'report.html'), 'utf8');
    expect(report).toMatch(
      /No score of States held out one at a time: \.\.\/run-1 holds no such predictions/,
    );
    expect(await readStatesOut(join(root, 'states-lacking'))).toBeNull();
  });

  it('leave nothing behind when an ensemble without them takes the place', async () => {
    await ensemble('states-replaced');
    expect(await readStatesOut(join(root, 'states-replaced'))).not.toBeNull();
    await ensemble('states-replaced', { runs: [without], overwrite: true });
    expect(await readStatesOut(join(root, 'states-replaced'))).toBeNull();
  });
});
