import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { killSward } from '../support/kill-sward.ts';
import { runContents } from '../support/run-contents.ts';
import { errorLine, runSward } from '../support/run-sward.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('rival-trainings');
const at = (name: string): string => join(root, name);
const lone = at('lone');
const sward = hostSward();
let files: SmallFeatureFiles;

/** A training of a second or two. */
const command = (out: string): string[] => [
  ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', files.labels],
  ...['--recipe', 'feature-mlp', '--set', 'estimator.members=1', '--set', 'estimator.epochs=120'],
  ...['--set', 'evaluation.leaveOneStateOut=false', '--folds', '3', '--out', out],
];

beforeAll(async () => {
  files = await writeSmallFeatures(at('data'), 30, 1);
  expect((await runSward(command(lone))).code).toBe(0);
});

describe('two processes that train into one folder', () => {
  it('started at once: one finishes as it would alone, the other is told who writes', async () => {
    const out = at('together');
    const outcomes = await Promise.all([runSward(command(out)), runSward(command(out))]);
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 2]);
    const refused = outcomes.find(({ code }) => code === 2);
    expect(refused && errorLine(refused)).toMatch(
      new RegExp(
        `^error: .*together is being written by process \\d+ on ${hostname()} since .*; wait for it`,
      ),
    );
    expect(runContents(out)).toEqual(runContents(lone));
  });

  it('started at once with --resume into what a kill has left: likewise', async () => {
    const out = at('resumed-together');
    expect(await killSward(command(out), {}, () => existsSync(join(out, 'fold-0')))).toBe('SIGKILL');
    const resume = [...command(out), '--resume'];
    const outcomes = await Promise.all([runSward(resume), runSward(resume)]);
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 2]);
    expect(runContents(out)).toEqual(runContents(lone));
  });
});

describe('a training that is killed', () => {
  const moments: [string, (out: string) => boolean][] = [
    ['as its folder appears', existsSync],
    ['as its manifest appears', (out) => existsSync(join(out, 'run.json'))],
    ['while its first fold trains', (out) => existsSync(join(out, 'fold-0.checkpoint'))],
    ['after its last fold', (out) => existsSync(join(out, 'fold-2'))],
  ];

  it.each(moments)('%s is finished by --resume to the same files', async (name, isReady) => {
    const out = at(name.replaceAll(' ', '-'));
    expect(await killSward(command(out), {}, () => isReady(out))).toBe('SIGKILL');
    const manifest = join(out, 'run.json');
    if (existsSync(manifest)) expect(JSON.parse(readFileSync(manifest, 'utf8')).status).toBe('incomplete');
    const resumed = await sward(...command(out), '--resume');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(runContents(out)).toEqual(runContents(lone));
  });

  it('before its first rename leaves nothing that another command would not clear away', async () => {
    const out = at('cut-short');
    mkdirSync(out);
    writeFileSync(join(out, '.run.json.4711.ab12cd34.part'), '{"format":');
    writeFileSync(
      join(out, 'run.lock'),
      JSON.stringify({ token: 'a', pid: 2 ** 22 + 1, host: hostname(), since: 'then' }),
    );
    const resumed = await sward(...command(out), '--resume');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(runContents(out)).toEqual(runContents(lone));
  });
});
