import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { takeLock } from '../../src/ground/file-lock.ts';
import { runContents } from '../support/run-contents.ts';
import { errorLine, MAIN, runSward } from '../support/run-sward.ts';
import { describeWithSlurm, type LocalSlurm, startSlurm } from '../support/slurm.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { startSward } from '../support/sward-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const root = temporaryFolder('cluster-plan');
const at = (name: string): string => join(root, name);
const variables = { SWARD_CACHE: at('cache') };
const sward = hostSward(variables, root);
let files: SmallFeatureFiles;

/** 5 folds × 2 members: ten units. */
const command = (out: string): string[] => [
  ...['train', '--features', files.features[0] ?? '', '--ids', 'data/ids.txt', '--labels', 'data/train.csv'],
  ...['--recipe', 'feature-mlp', '--set', 'estimator.members=2', '--set', 'estimator.epochs=40'],
  ...['--set', 'evaluation.leaveOneStateOut=false', '--folds', '5', '--out', out],
];

beforeAll(async () => {
  files = await writeSmallFeatures(at('data'), 40, 1);
  expect((await sward(...command('alone'))).code).toBe(0);
});

describe('a plan', () => {
  it('is computed share by share by whoever runs its units, skips what is done, and is gathered', async () => {
    const planned = await sward(
      'plan',
      '--to',
      'slurm',
      '--out',
      'plan',
      '--json',
      '--',
      ...command('planned'),
    );
    expect(planned.code, planned.stderr).toBe(0);
    const { store, job, units } = JSON.parse(planned.stdout);
    expect(units).toBe(10);
    // The program itself, though another one began the process that planned.
    for (const name of ['array.sh', 'gather.sh'])
      expect(readFileSync(at(`plan/${name}`), 'utf8')).toContain(MAIN);
    expect(existsSync(at('planned'))).toBe(false);
    const list = join(store, job, 'list.json');
    const early = await sward('gather', 'plan');
    expect(early.code).toBe(1);
    expect(errorLine(early)).toMatch(
      /10 units of 10 are missing: fold 0 member 0, .*: not begun, or not ended/,
    );
    expect(errorLine(early)).toContain(
      `have these computed: bash ${at('plan')}/submit.sh; then gather again`,
    );
    const first = await sward('unit', list, '--index', '1', '--of', '2', '--json');
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({ done: 5, known: 0 });
    const [key = ''] = readdirSync(join(store, job, 'specs')).filter(
      (name) => !existsSync(join(store, job, 'done', name)),
    );
    expect(JSON.parse((await sward('unit', join(store, job, 'specs', key), '--json')).stdout)).toEqual({
      done: 1,
      known: 0,
    });
    const rest = await sward('unit', list, '--json');
    expect(JSON.parse(rest.stdout)).toEqual({ done: 4, known: 6 });
    // A plan says nothing of where it lies itself.
    renameSync(at('plan'), at('plan moved'));
    const gathered = await runSward(['gather', at('plan moved')], variables);
    expect(gathered.code, gathered.stderr).toBe(0);
    expect(gathered.stdout).toMatch(/weighted R²/);
    expect(runContents(at('planned'))).toEqual(runContents(at('alone')));
    expect(existsSync(store)).toBe(false);
    const again = await sward('gather', 'plan moved');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toBe(`is gathered already: ${at('planned')}\n`);
    expect(existsSync(store)).toBe(false);
    // Nothing is submitted once more.
    expect(execFileSync('bash', [at('plan moved/submit.sh')]).toString()).toBe(
      `is gathered already: ${at('planned')}; to compute it anew, remove that, give the same sward plan again, and then this\n`,
    );
    rmSync(at('planned'), { recursive: true });
    expect(errorLine(await sward('gather', 'plan moved'))).toMatch(
      /is not there any more: it was removed, or/,
    );
    expect(existsSync(store)).toBe(false);
  });

  it('names units that cannot be computed, for whoever gathers', async () => {
    const planned = await sward(
      'plan',
      '--to',
      'slurm',
      '--out',
      'plan2',
      '--json',
      '--',
      ...command('planned2'),
    );
    const { store, job } = JSON.parse(planned.stdout);
    const [features = ''] = files.features;
    const content = readFileSync(features);
    writeFileSync(features, content.subarray(0, -4));
    const failed = await sward('unit', join(store, job, 'list.json'), '--index', '0', '--of', '10');
    writeFileSync(features, content);
    expect(failed.code).toBe(1);
    expect(errorLine(failed)).toMatch(/1 unit of 1 failed: fold 0 member 0: .*bytes of data/);
    const early = await sward('gather', 'plan2');
    const changed = Buffer.from(content);
    changed.writeFloatLE(0.5, changed.length - 4);
    writeFileSync(features, changed);
    const other = await sward('gather', 'plan2');
    writeFileSync(features, content);
    expect(other.code).toBe(1);
    expect(errorLine(other)).toMatch(
      /not what was planned, since this has changed: \S+\.npy \(changed\); put it back/,
    );
    expect(readdirSync(store)).toEqual([job]);
    expect(errorLine(early)).toMatch(
      /fold 0 member 0: failed on \S+ \(.*bytes of data.*\); fold 0 member 1, /,
    );
  });

  it('for Kubernetes is a manifest that the schema of the API takes', async () => {
    const nowhere = await sward('plan', '--to', 'kubernetes', '--out', 'k', '--', ...command('k-run'));
    expect(errorLine(nowhere)).toMatch(/pods see no folder of this machine: give --store s3/);
    const planned = await sward(
      ...[
        'plan',
        '--to',
        'kubernetes',
        '--out',
        'k',
        '--volume',
        `data:${root}`,
        '--gpus',
        '1',
        '--parallel',
        '4',
      ],
      ...['--', ...command('k-run')],
    );
    expect(planned.code, planned.stderr).toBe(0);
    const manifest = parse(readFileSync(at('k/job.yaml'), 'utf8'));
    expect(manifest.spec).toMatchObject({ completionMode: 'Indexed', completions: 10, parallelism: 4 });
    // Three tries: the first, and two more.
    expect(manifest.spec.backoffLimitPerIndex).toBe(2);
    new Job(manifest).validate();
    expect(() =>
      new Job({ ...manifest, spec: { ...manifest.spec, completions: 'ten' } }).validate(),
    ).toThrow();
    const [container] = manifest.spec.template.spec.containers;
    expect(container.resources.limits).toEqual({ cpu: '4', memory: '8Gi', 'nvidia.com/gpu': '1' });
    expect(container.env).toContainEqual({ name: 'SWARD_PROVIDER', value: 'cuda' });
    const list = container.command[container.command.indexOf('unit') + 1];
    // What a pod of the index would run.
    const index = container.command.indexOf('unit');
    const words = container.command
      .slice(index)
      .map((word: string) => word.replace('$(JOB_COMPLETION_INDEX)', '3'));
    const computed = await sward(...words, '--json');
    expect(JSON.parse(computed.stdout), computed.stderr).toEqual({ done: 1, known: 0 });
    expect(existsSync(list)).toBe(true);
  });

  it('is not made anew by a command that comes while another writes the same run: it waits, and ends as that one', async () => {
    const manifest = JSON.parse(readFileSync(at('alone/run.json'), 'utf8'));
    cpSync(at('alone'), at('rival'), { recursive: true });
    writeFileSync(at('rival/run.json'), JSON.stringify({ ...manifest, status: 'incomplete' }));
    const lock = await takeLock(at('rival/run.lock'), () => new Error('is held'));
    const late = startSward([...command('rival'), '--on', 'local'], variables, root);
    await until(() => late.said().includes('writes rival; waiting for it'));
    const stranger = await sward(...command('rival'), '--on', 'local', '--seed', '7');
    expect(stranger.code).toBe(2);
    expect(errorLine(stranger)).toMatch(/rival is being written by process \d+/);
    writeFileSync(at('rival/run.json'), readFileSync(at('alone/run.json')));
    await lock.release();
    const { code, stdout } = await late.ended;
    expect(code, late.said()).toBe(0);
    expect(stdout).toMatch(/weighted R²/);
    expect(late.said()).toMatch(/another command of the same work has written rival\n$/);
    expect(runContents(at('rival'))).toEqual(runContents(at('alone')));
    expect(existsSync(at('rival.work'))).toBe(false);
  });

  it('is made of commands that have parts', async () => {
    const wrong = await sward('plan', '--to', 'slurm', '--out', 'p', '--', 'report', 'alone');
    expect(wrong.code).toBe(2);
    expect(errorLine(wrong)).toMatch(/report: give one of train, predict, features after --/);
    const finished = await sward('plan', '--to', 'slurm', '--out', 'p', '--', ...command('alone'));
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(
      /^there is nothing left to compute: train .* --out alone has finished\n$/,
    );
  });

  it.each([
    ['--time', '1:00:00\ntouch x'],
    ['--partition', 'gpu; touch x'],
    ['--memory', '8G\n'],
    ['--image', 'sward latest'],
  ])('takes nothing for %s that a script would read as a command', async (option, text) => {
    const wrong = await sward('plan', '--to', 'slurm', '--out', 'p', option, text, '--', ...command('alone'));
    expect(wrong.code).toBe(2);
    expect(errorLine(wrong)).toContain(`${option} ${JSON.stringify(text)}: write it as`);
  });
});

describeWithSlurm('a plan for Slurm', () => {
  let slurm: LocalSlurm;
  beforeAll(async () => {
    slurm = await startSlurm(at('slurm'), 2);
  });
  afterAll(() => slurm.end());

  it('is an array of ten tasks; one that is requeued does what is left, and the result is the same', async () => {
    const planned = await sward(
      ...['plan', '--to', 'slurm', '--out', 'slurm-plan', '--cpus', '1', '--memory', '100M', '--json'],
      ...['--', ...command('by-slurm')],
    );
    expect(planned.code, planned.stderr).toBe(0);
    const { store, job } = JSON.parse(planned.stdout);
    process.env.SWARD_CACHE = variables.SWARD_CACHE;
    renameSync(at('slurm-plan'), at('slurm plan moved'));
    slurm.run('bash', at('slurm plan moved/submit.sh'));
    const running = (): string[] =>
      slurm
        .run('squeue', '--noheader', '--array', '--states=running', '--format=%i %j')
        .split('\n')
        .filter(Boolean);
    await until(() => running().length > 0);
    const [task = ''] = (running()[0] ?? '').split(' ');
    slurm.run('scontrol', 'requeue', task);
    // Slurm lets a task that is requeued wait two minutes, unless it is told not to.
    await until(() =>
      slurm.run('squeue', '--noheader', '--array', '--format=%i %r').includes(`${task} BeginTime`),
    );
    slurm.run('scontrol', 'update', `JobId=${task}`, 'StartTime=now');
    const attempted = join(store, job, 'done');
    await until(
      () => (existsSync(attempted) ? readdirSync(attempted).length : 0) === 10 || existsSync(at('by-slurm')),
      240,
    );
    await until(() => slurm.run('squeue', '--noheader') === '', 240);
    expect(readFileSync(at('slurm plan moved/log-gather.txt'), 'utf8')).toMatch(/weighted R²/);
    expect(runContents(at('by-slurm'))).toEqual(runContents(at('alone')));
  });
});
