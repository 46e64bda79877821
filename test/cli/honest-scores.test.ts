import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCsv } from '../../src/formats/csv.ts';
import { TARGET_WEIGHTS } from '../../src/pasture/targets.ts';
import type { CommandOutcome } from '../support/run-sward.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('honest-scores');
const at = (name: string): string => join(root, name);
const sward = hostSward();
const NAMES = ['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g'];
let files: SmallFeatureFiles;

function train(out: string, ...more: string[]): Promise<CommandOutcome> {
  return sward(
    ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', files.labels],
    ...['--recipe', 'feature-ridge', '--set', 'estimator.kind=ridge', '--folds', '3', '--out', at(out)],
    ...['--set', 'evaluation.leaveOneStateOut=false', ...more],
  );
}

/** The metric by its definition, of answering each photo with the mean of the photos outside its fold. */
async function meanAnswer(run: string): Promise<number> {
  const { rows } = await readCsv(join(at(run), 'oof.csv'), ['sample_id', 'observed', 'fold']);
  const cells = rows.map((row) => ({
    weight: TARGET_WEIGHTS[NAMES.indexOf((row.cells.sample_id ?? '').split('__')[1] ?? '')] ?? 0,
    target: (row.cells.sample_id ?? '').split('__')[1],
    observed: Number(row.cells.observed),
    fold: row.cells.fold,
  }));
  const all = cells.reduce((sum, { weight, observed }) => sum + weight * observed, 0);
  const centre = all / cells.reduce((sum, { weight }) => sum + weight, 0);
  let [residual, total] = [0, 0];
  for (const { weight, target, observed, fold } of cells) {
    const others = cells.filter((other) => other.target === target && other.fold !== fold);
    const mean = others.reduce((sum, other) => sum + other.observed, 0) / others.length;
    residual += weight * (observed - mean) ** 2;
    total += weight * (observed - centre) ** 2;
  }
  return 1 - residual / total;
}

beforeAll(async () => {
  files = await writeSmallFeatures(at('data'), 40, 1);
});

describe('a score', () => {
  it('stands beside that of answering the mean of each training part', async () => {
    const told = await train('whole');
    const expected = await meanAnswer('whole');
    expect(told.stdout).toContain(`answering each training part's mean: weighted R² ${expected.toFixed(4)}`);
    expect(told.stderr).not.toContain('warning');
    const { mean_answer } = JSON.parse((await train('whole', '--json')).stdout);
    expect(mean_answer.weighted_r2).toBeCloseTo(expected, 9);
    const scores = JSON.parse(readFileSync(join(at('whole'), 'scores.json'), 'utf8'));
    expect(scores.mean_answer.weighted_r2).toBeCloseTo(expected, 9);
    expect(readFileSync(join(at('whole'), 'report.html'), 'utf8')).toContain(
      `with the mean of the photos outside its fold would score ${expected.toFixed(3)}`,
    );
    const scored = await sward('score', files.labels, join(at('whole'), 'oof.csv'));
    expect(scored.stdout).toContain(
      `answering each training part's mean: weighted R² ${expected.toFixed(4)}`,
    );
    const text = readFileSync(join(at('whole'), 'oof.csv'), 'utf8').split('\n');
    writeFileSync(at('bare.csv'), text.map((line) => line.split(',').slice(0, 2).join(',')).join('\n'));
    const bare = JSON.parse((await sward('score', files.labels, at('bare.csv'), '--json')).stdout);
    expect(bare.mean_answer).toMatchObject({ of: 'these photos' });
    expect(bare.mean_answer.weighted_r2).toBeGreaterThan(expected);
  });

  it('of folds that split visits is warned of in the terminal, the report and comparisons', async () => {
    const told = await train('split', '--group', 'none');
    const warning = /photos of one visit lie in different folds \(10 of 10 visits\).*the score flatters/;
    expect(told.stderr).toMatch(/^warning: photos of one visit .* \(--group date-state\)$/m);
    expect(told.stderr).toMatch(warning);
    expect(readFileSync(join(at('split'), 'report.html'), 'utf8')).toMatch(warning);
    expect(readFileSync(join(at('whole'), 'report.html'), 'utf8')).not.toMatch(warning);
    const compared = await sward('score', '--compare', at('whole'), at('split'), '--draws', '50', '--json');
    expect(compared.stderr).toMatch(new RegExp(`^warning: ${at('split')}: photos of one visit`, 'm'));
    const { first, second } = JSON.parse(compared.stdout);
    expect(first).not.toHaveProperty('split_sessions');
    expect(second.split_sessions).toEqual({ split: 10, sessions: 10 });
  });

  it('of photos without dates cannot be told honest', async () => {
    const lines = readFileSync(files.labels, 'utf8').trimEnd().split('\n');
    const dateless = at('dateless.csv');
    writeFileSync(
      dateless,
      lines.map((line) => [line.split(',')[0], line.split(',')[3]].join(',')).join('\n'),
    );
    const { stderr, code } = await sward(
      ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', dateless],
      ...['--recipe', 'feature-ridge', '--folds', '3', '--group', 'none', '--out', at('dateless')],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: no dates tell which photos are of one visit/);
  });
});
