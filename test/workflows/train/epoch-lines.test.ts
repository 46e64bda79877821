import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../../src/ground/progress.ts';
import { TARGET_NAMES } from '../../../src/pasture/targets.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import {
  featureSource,
  type SmallFeatureFiles,
  writeSmallFeatures,
} from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('epoch-lines');
let files: SmallFeatureFiles;

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 30, 1);
});

/** What is said to stay while a small network is trained. */
async function linesOf(out: string, changes: readonly string[] = []): Promise<string[]> {
  const lines: string[] = [];
  const progress: Progress = { stage() {}, advance() {}, done() {}, line: (text) => lines.push(text) };
  const small = ['estimator.epochs=2', 'estimator.members=1', 'estimator.architecture.hidden=4'];
  const recipe = await resolveRecipe('feature-mlp', [
    ...[...small, 'evaluation.leaveOneStateOut=false'],
    ...changes,
  ]);
  const source = featureSource(files, 0);
  await trainRun({ source, recipe, out: join(root, out), plan: { folds: 3 }, progress });
  return lines;
}

const SCORES = TARGET_NAMES.map(
  (_, mass) => `${['green', 'dead', 'clover', 'GDM', 'total'][mass]} -?\\d+\\.\\d\\d`,
);

describe('training a network', () => {
  it('says after each epoch what the fold’s photos score in all five masses', async () => {
    const lines = await linesOf('last');
    expect(lines).toHaveLength(3 * 2);
    const form = `loss \\d\\S* {2}on the fold's \\d+ photos: weighted R² -?\\d\\.\\d\\d {2}${SCORES.join(' {2}')}$`;
    expect(lines[0]).toMatch(new RegExp(`^fold 0 epoch 1/2 {2}${form}`));
    expect(lines[5]).toMatch(new RegExp(`^fold 2 epoch 2/2 {2}${form}`));
    const [first = ''] = readFileSync(join(root, 'last', 'fold-0', 'metrics.jsonl'), 'utf8').split('\n');
    const stored = JSON.parse(first) as Record<string, number>;
    expect(lines[0]).toContain(`total ${stored['validation R² Dry_Total_g']?.toFixed(2)}`);
    expect(lines[0]).toContain(`weighted R² ${stored['validation weighted R²']?.toFixed(2)}`);
  });

  it('says where sessions inside are scored, that epochs of members count on, and what scale is scored', async () => {
    const inner = await linesOf('inner', ['estimator.members=2', 'estimator.checkpoint.choice=best-inner']);
    expect(inner).toHaveLength(3 * 2 * 2);
    expect(inner[3]).toMatch(/^fold 0 epoch 4\/4 .* on the sessions held out inside: weighted R²/);
    const bent = await linesOf('bent', ['transform.kind=sqrt', 'transform.biasCorrection=false']);
    expect(bent[0]).toMatch(/photos \(sqrt of the masses\): weighted R²/);
  });
});
