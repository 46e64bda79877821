import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { adviceOn, closeSoon, nameOf, openQueue } from '../../src/cluster/queue/connection.ts';
import { describeWithRedis, type LocalRedis, startRedis } from '../support/redis-server.ts';
import { runContents } from '../support/run-contents.ts';
import { errorLine, MAIN } from '../support/run-sward.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { type SwardProcess, startScript, startSward } from '../support/sward-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const root = temporaryFolder('cluster-training');
const at = (name: string): string => join(root, name);
const variables = { SWARD_CACHE: at('cache') };
const sward = hostSward(variables);
const alone = at('alone');
let files: SmallFeatureFiles;

/** 5 folds × 2 members and two States: a dozen units of about a second. */
const command = (out: string, ...more: string[]): string[] => [
  ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', files.labels],
  ...['--recipe', 'feature-mlp', '--set', 'estimator.members=2', '--set', 'estimator.epochs=40'],
  ...['--folds', '5', '--out', out, ...more],
];

/** Records of units that are done, by the attempt that did each. */
function doneIn(store: string): { name: string; attempt: number }[] {
  const [job = ''] = existsSync(store) ? readdirSync(store) : [];
  const folder = join(store, job, 'done');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

/** The command line as one of sward 9.9.9. */
function otherVersion(folder: string): string {
  const own = resolve(MAIN, '..', '..', '..');
  cpSync(join(own, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => path !== join(own, 'dist', 'web'),
  });
  const manifest = readFileSync(join(own, 'package.json'), 'utf8');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...JSON.parse(manifest), version: '9.9.9' }));
  symlinkSync(join(own, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist', 'cli', 'main.js');
}

describeWithRedis('a training on many machines', () => {
  let redis: LocalRedis;
  const running = new Set<SwardProcess>();
  const start = (args: readonly string[]): SwardProcess => {
    const started = startSward(args, variables);
    running.add(started);
    void started.ended.then(() => running.delete(started));
    return started;
  };
  const work = (): SwardProcess => start(['work', '--on', redis.url, '--lease', '3', '--threads', '1']);

  beforeAll(async () => {
    files = await writeSmallFeatures(at('data'), 40, 1);
    redis = await startRedis(at('redis'));
    expect((await sward(...command(alone))).code).toBe(0);
  });
  afterEach(async () => {
    const all = [...running];
    for (const { process } of all) process.kill('SIGKILL');
    await Promise.all(all.map(({ ended }) => ended));
  });
  afterAll(() => redis.kill());

  it('by four workers leaves the very files that one machine leaves', async () => {
    for (let count = 0; count < 4; count++) work();
    const out = at('four');
    const trained = await sward(...command(out, '--on', redis.url));
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stderr).toMatch(/12\/12 units/);
    expect(runContents(out)).toEqual(runContents(alone));
    expect(existsSync(`${out}.work`)).toBe(false);
    const again = await sward(...command(out, '--on', redis.url));
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).not.toMatch(/units/);
  });

  it('survives killed workers, a killed Redis and a killed coordinator, and no unit is published twice', async () => {
    const out = at('disturbed');
    const store = at('disturbed.work');
    const slow = ['--set', 'estimator.epochs=250'];
    const undisturbed = at('undisturbed');
    expect((await sward(...command(undisturbed, ...slow))).code).toBe(0);
    const attached = (): SwardProcess => start(command(out, ...slow, '--on', redis.url));
    const first = attached();
    const workers = [work(), work(), work()];
    const seen = new Map<string, number>();
    // Every second a worker is killed in the midst of what it does and another begins.
    let disturbing = true;
    const disturbance = (async () => {
      for (let turn = 0; disturbing && turn < 8; turn++) {
        await pause(1_000);
        workers[turn % 3]?.process.kill('SIGKILL');
        workers[turn % 3] = work();
      }
    })();
    const noted = setInterval(() => {
      for (const { name, attempt } of doneIn(store)) {
        expect(seen.get(name) ?? attempt).toBe(attempt);
        seen.set(name, attempt);
      }
    }, 20);
    await until(() => seen.size >= 2);
    first.process.kill('SIGKILL');
    await redis.kill();
    await pause(500);
    await redis.start();
    const second = attached();
    const { code } = await second.ended;
    clearInterval(noted);
    disturbing = false;
    await disturbance;
    expect(code, second.said()).toBe(0);
    expect(seen.size).toBeGreaterThan(4);
    expect(runContents(out)).toEqual(runContents(undisturbed));
  });

  it('left by Ctrl-C stays queued, and the same command attaches again', async () => {
    const out = at('left');
    const first = start(command(out, '--on', redis.url));
    await until(() => /0\/12 units|no worker/.test(first.said()));
    first.process.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    expect(first.said()).toMatch(/the work stays queued .*; the same command attaches again/);
    expect(existsSync(out)).toBe(false);
    // A worker of another version has queues of its own, and uses up no attempt.
    const other = startScript(otherVersion(at('other')), ['work', '--on', redis.url], variables);
    running.add(other);
    await until(() => /working on cpu, for commands of sward 9\.9\.9;/.test(other.said()));
    work();
    await until(() => doneIn(`${out}.work`).length === 12);
    expect(doneIn(`${out}.work`).map(({ attempt }) => attempt)).toEqual(Array(12).fill(1));
    expect(other.said()).not.toMatch(/fold/);
    const second = await sward(...command(out, '--on', redis.url));
    expect(second.code, second.stderr).toBe(0);
    expect(runContents(out)).toEqual(runContents(alone));
  });

  it('that asks for a GPU waits for machines that have one', async () => {
    const processors = work();
    const out = at('gpu');
    const training = startSward(command(out, '--on', redis.url), { ...variables, SWARD_PROVIDER: 'cuda' });
    running.add(training);
    const waiting = async (name: string): Promise<number> => {
      const queue = new Queue(name, { connection: { url: redis.url } });
      const jobs = await queue.getJobs(['waiting', 'active']);
      await queue.close();
      return jobs.filter(({ data }) => data.store === `${out}.work`).length;
    };
    while ((await waiting(nameOf('gpu'))) < 12) await pause(100);
    expect(await waiting(nameOf('cpu'))).toBe(0);
    expect(doneIn(`${out}.work`)).toEqual([]);
    expect(processors.process.exitCode).toBeNull();
    const gpu = start(['work', '--on', redis.url, '--queues', 'gpu', '--threads', '1']);
    expect((await training.ended).code, training.said()).toBe(0);
    expect(gpu.said()).toMatch(
      /warning: work for GPUs will be computed by processors here; SWARD_PROVIDER=cuda/,
    );
    expect(runContents(out)).toEqual(runContents(alone));
  });

  it('over several seeds makes the runs that one machine makes', async () => {
    work();
    work();
    const seeds = (out: string): string[] =>
      command(out, '--seeds', '1-2', '--set', 'evaluation.leaveOneStateOut=false');
    const here = await sward(...seeds(at('seeds')));
    const there = await sward(...seeds(at('seeds-on')), '--on', redis.url);
    expect(there.code, there.stderr).toBe(0);
    expect(there.stderr).toMatch(/20\/20 units/);
    expect(there.stdout.replaceAll('seeds-on', 'seeds')).toBe(here.stdout);
    expect(runContents(at('seeds-on'))).toEqual(runContents(at('seeds')));
  });

  it('names the units that fail and what to do, and keeps the others', async () => {
    const worker = work();
    const out = at('failing');
    const first = start(command(out, '--on', redis.url));
    await until(() => doneIn(`${out}.work`).length >= 1);
    const [features = ''] = files.features;
    const content = readFileSync(features);
    const other = Buffer.from(content);
    other[other.length - 3] = (other.at(-3) ?? 0) ^ 1;
    // A worker that sees other features must not train on them.
    writeFileSync(features, other);
    try {
      expect((await first.ended).code).toBe(1);
    } finally {
      writeFileSync(features, content);
    }
    const last = first.said().trimEnd().split('\n').at(-1);
    expect(last).toMatch(
      /^error: \d+ units of 12 are missing: (fold \d member \d, )+.*State 1: failed on \S+ \(this machine sees other photos, labels/,
    );
    expect(last).toMatch(/the others are kept: mend the cause and run the same command again/);
    const kept = doneIn(`${out}.work`).length;
    expect(kept).toBeGreaterThan(0);
    const second = await sward(...command(out, '--on', redis.url));
    expect(second.code, second.stderr).toBe(0);
    expect(runContents(out)).toEqual(runContents(alone));
    expect(worker.process.exitCode).toBeNull();
  });

  it('does not publish over the winner from a worker that stood still past its lease', async () => {
    const blocked = startScript(join(import.meta.dirname, '..', 'support', 'blocked-worker.mjs'), [
      redis.url,
      at('go on'),
    ]);
    running.add(blocked);
    const out = at('blocked');
    const training = start(command(out, '--on', redis.url));
    await until(() => blocked.said().includes('blocked'));
    const [job = ''] = readdirSync(`${out}.work`);
    const attempts = (): string[] =>
      readdirSync(join(`${out}.work`, job, 'attempts'), { recursive: true }) as string[];
    const [first = ''] = attempts().filter((name) => name.endsWith('.json'));
    const [key = ''] = first.split('/');
    work();
    const done = join(`${out}.work`, job, 'done', `${key}.json`);
    await until(() => existsSync(done));
    const winner = readFileSync(done, 'utf8');
    expect(JSON.parse(winner)).toMatchObject({ attempt: 2 });
    expect(blocked.said()).not.toContain('goes on');
    writeFileSync(at('go on'), '');
    await until(() => /attempt 1 comes too late/.test(blocked.said()));
    expect(readFileSync(done, 'utf8')).toBe(winner);
    expect((await training.ended).code, training.said()).toBe(0);
    expect(runContents(out)).toEqual(runContents(alone));
    blocked.process.kill('SIGKILL');
  });

  it('says where no Redis answers, and what one should keep', async () => {
    const nowhere = await sward(...command(at('x'), '--on', 'redis://127.0.0.1:1', '--wait', '0.5'));
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(
      /^no Redis answers at redis:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\); waiting for it at most 0\.5 s\n/,
    );
    expect(errorLine(nowhere)).toMatch(
      /^error: redis:\/\/127\.0\.0\.1:1: no Redis can be used there \(.*ECONNREFUSED.*\); start one: redis-server --appendonly yes/,
    );
    expect(adviceOn('aof_enabled:0\r\nmaxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n')).toEqual([
      expect.stringMatching(/no append-only file.*--appendonly yes/),
      expect.stringMatching(/allkeys-lru.*noeviction/),
    ]);
    expect(adviceOn('aof_enabled:1\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n')).toEqual([
      expect.stringMatching(/once it is given a maxmemory \(allkeys-lru\).*noeviction/),
    ]);
    expect(adviceOn('aof_enabled:1\r\nmaxmemory:1000\r\nmaxmemory_policy:noeviction\r\n')).toEqual([]);
    const wrong = await sward(...command(at('x'), '--on', 'http://host'));
    expect(wrong.code).toBe(2);
    expect(errorLine(wrong)).toMatch(/--on http:\/\/host: give redis:\/\/host:port, or local/);
  });

  it('is left at once while Redis is away, and waits for workers of its own database', async () => {
    const worker = work();
    const elsewhere = `${redis.url}/3`;
    const training = start(command(at('elsewhere'), '--on', elsewhere));
    await until(() => /no worker of sward \d\S+: sward work --on …\/3 starts one/.test(training.said()));
    const refused = await sward(...command(at('x'), '--on', `${redis.url}/99`));
    expect(refused.code).toBe(1);
    expect(errorLine(refused)).toMatch(/DB index is out of range.*no database of that number: give 0 to 15/);
    await redis.kill();
    try {
      const told: string[] = [];
      const opened = openQueue(elsewhere, 'cpu', (line) => told.push(line), { patienceSeconds: 60 });
      // Faults that waiting does not mend are told of at once.
      const unknown = openQueue('redis://no-such-host.invalid', 'cpu', () => {}, { patienceSeconds: 600 });
      await expect(unknown).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
      const began = performance.now();
      for (const { process } of [worker, training]) process.kill('SIGTERM');
      expect((await worker.ended).code).toBe(0);
      expect((await training.ended).code).toBe(143);
      expect(training.said()).toMatch(/the work stays queued .*; the same command attaches again/);
      // With a grace of 25 s and a lease of 3.
      expect(performance.now() - began).toBeLessThan(8_000);
      await redis.start();
      await closeSoon(await opened);
      expect(told).toEqual([
        expect.stringMatching(/^no Redis answers at .*ECONNREFUSED.*; waiting for it at most 60 s$/),
        'Redis is there',
      ]);
    } finally {
      await redis.kill();
      await redis.start();
    }
  });

  it('ended by SIGTERM, a worker hands back what it cannot finish', async () => {
    const slow = start(['work', '--on', redis.url, '--lease', '30', '--threads', '1', '--grace', '0.1']);
    const out = at('handed-back');
    const training = start([...command(out, '--on', redis.url), '--set', 'estimator.epochs=400']);
    await until(() => /units/.test(training.said()) && doneIn(`${out}.work`).length >= 1);
    slow.process.kill('SIGTERM');
    expect((await slow.ended).code).toBe(0);
    expect(slow.said()).toMatch(/handed back/);
    const queue = new Queue(nameOf('cpu'), { connection: { url: redis.url } });
    const own = ({ data }: { data: { store: string } }): boolean => data.store === `${out}.work`;
    const active = (await queue.getActive()).filter(own);
    const waiting = (await queue.getWaiting()).filter(own);
    await queue.close();
    expect(active).toEqual([]);
    expect(waiting).toHaveLength(12 - doneIn(`${out}.work`).length);
    training.process.kill('SIGKILL');
  });
});
