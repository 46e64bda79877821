import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { resultsOf } from '../support/ask-run.ts';
import { featureSource, writeSmallFeatures } from '../support/small-feature-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const root = temporaryFolder('scores-file');
const [member, ensemble] = [join(root, 'member'), join(root, 'ensemble')];

const textOf = (run: string): string => readFileSync(join(run, 'scores.json'), 'utf8');
const scoresOf = (run: string): Record<string, unknown> => JSON.parse(textOf(run));

beforeAll(async () => {
  const files = await writeSmallFeatures(join(root, 'data'), 30, 1);
  const recipe = await resolveRecipe('feature-ridge', ['estimator.kind=ridge', 'estimator.penalties=0.1']);
  await trainRun({ source: featureSource(files, 0), recipe, out: member, plan: { folds: 3 } });
  await makeEnsemble({ runs: [member], out: ensemble, method: 'mean' });
});

describe('scores.json', () => {
  it('of an ensemble that changes nothing says what its only member says, in the same form', () => {
    const { ensemble: facts, ...scores } = scoresOf(ensemble);
    const own = scoresOf(member);
    // To the byte, the order of the keys included.
    expect(JSON.stringify(scores)).toBe(JSON.stringify(own));
    expect(Object.keys(own)).toEqual(['out_of_fold', 'per_fold', 'leave_one_state_out', 'mean_answer']);
    expect(facts).toMatchObject({ nested_by: null, members: [{ recipe: 'feature-ridge' }] });
  });

  it('is indented alike and ends in one newline', () => {
    for (const run of [member, ensemble]) {
      expect(textOf(run)).toBe(`${JSON.stringify(scoresOf(run), null, 2)}\n`);
    }
  });

  it('reads back as what was computed', async () => {
    for (const run of [member, ensemble]) {
      const { outOfFold, perFold, leaveOneStateOut } = await resultsOf(run);
      const written = scoresOf(run) as {
        out_of_fold: { weighted_r2: number };
        per_fold: { fold: number; weighted_r2: number }[];
        leave_one_state_out: { pooled: { weighted_r2: number }; per_state: { state: string }[] };
      };
      expect(outOfFold.weightedR2).toBe(written.out_of_fold.weighted_r2);
      expect(perFold.map(({ fold, score }) => [fold, score.weightedR2])).toEqual(
        written.per_fold.map(({ fold, weighted_r2 }) => [fold, weighted_r2]),
      );
      expect(leaveOneStateOut?.pooled.weightedR2).toBe(written.leave_one_state_out.pooled.weighted_r2);
      expect(written.leave_one_state_out.per_state.map(({ state }) => state)).toEqual(['Vic', 'WA']);
    }
  });
});
