import { join } from 'node:path';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planJob } from '../../src/cluster/jobs/planned-job.ts';
import { goneFrom, idOf, nameOf } from '../../src/cluster/queue/connection.ts';
import { queueEngine } from '../../src/cluster/queue/queue-engine.ts';
import { startWorker, type WorkOptions } from '../../src/cluster/queue/worker.ts';
import { StoreUnreachable } from '../../src/storage/index.ts';
import { describeWithRedis, type LocalRedis, startRedis } from '../support/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const root = temporaryFolder('store-away');
const KEYS = ['1', '2', '3', '4'].map((end) => `0123456789abcdef0123456789abcde${end}`);

describeWithRedis('a store that a worker does not reach', () => {
  let redis: LocalRedis;
  beforeAll(async () => {
    redis = await startRedis(join(root, 'redis'));
  });
  afterAll(() => redis.kill());

  /** A worker that does every unit of a job. */
  const ableWorker = (jobs: Awaited<ReturnType<typeof planJob>>['jobs']) =>
    startWorker({
      url: redis.url,
      queues: ['cpu'],
      async run({ key, name }) {
        const attempt = await jobs.claim(key);
        await jobs.publish({ key, name, attempt, host: 'desk', seconds: 0, files: [] });
        return 'done';
      },
    });

  it('has it hand its unit back and rest, so that one that does computes all with no try lost', async () => {
    const asked = { photos: [{ imageId: 'a', path: 'a.jpg' }] };
    const work = { kind: 'predict', run: 'starter', fingerprint: '', asked, tta: 'none' } as const;
    const units = KEYS.map((key) => ({ key, name: key.slice(-1), work }));
    const { jobs } = await planJob('predict', 'Predicting', join(root, 'store'), () => units, {
      out: 'a.csv',
    });
    const connection = { url: redis.url };
    const queue = new Queue(nameOf('cpu'), { connection });
    const events = new QueueEvents(nameOf('cpu'), { connection });
    const [told, tries, failed]: [string[], string[], string[]] = [[], [], []];
    events.on('failed', ({ jobId }) => void failed.push(jobId));
    await events.waitUntilReady();
    const workAs = (run: WorkOptions['run']) =>
      startWorker({
        url: redis.url,
        queues: ['cpu'],
        tell: (line) => void told.push(line),
        ...(run && { run }),
      });
    const lost = await workAs(async ({ name }) => {
      tries.push(name);
      throw new StoreUnreachable('s3://farm/a', 'no answer', 'start it');
    });
    await queue.addBulk(
      units.map(({ key, name }) => ({
        name,
        data: { store: jobs.store.location, job: jobs.job, key },
        opts: { jobId: idOf(key), attempts: 1, removeOnComplete: true },
      })),
    );
    await until(() => told.length > 0);
    const done: string[] = [];
    const able = await workAs(async ({ name }) => {
      done.push(name);
      return 'done';
    });
    await until(() => done.length === KEYS.length);
    expect(done.sort()).toEqual(['1', '2', '3', '4']);
    // It rested after its first.
    expect(tries).toHaveLength(1);
    expect(told[0]).toMatch(/^predict-\w+ \d: handed back for 30 s: s3:\/\/farm\/a: no answer; start it$/);
    await Promise.all([lost.stop(), able.stop()]);
    expect(failed).toEqual([]);
    await Promise.all([queue.close(), events.close()]);
  });

  it('that is a folder is named, and its units go to one that sees it', async () => {
    const asked = { photos: [{ imageId: 'b', path: 'b.jpg' }] };
    const work = { kind: 'predict', run: 'starter', fingerprint: '', asked, tta: 'none' } as const;
    const units = KEYS.map((key) => ({ key, name: key.slice(-1), work }));
    const job = await planJob('predict', 'Predicting', join(root, 'folder'), () => units, { out: 'b.csv' });
    let found = 0;
    const blind = new Worker(
      nameOf('cpu'),
      async () => {
        found++;
        return goneFrom('the shed');
      },
      {
        connection: { url: redis.url },
      },
    );
    const told: string[] = [];
    const watched = queueEngine({ url: redis.url }).run(job, {
      stage: () => {},
      advance: () => {},
      done: () => {},
      line: (line) => void told.push(line),
    });
    await until(() => found >= KEYS.length && told.length > 0);
    await blind.close();
    const able = await ableWorker(job.jobs);
    await watched;
    await able.stop();
    expect(told).toEqual([
      expect.stringMatching(/^warning: the shed finds no .*folder.*; give a --store that all workers see/),
    ]);
    expect((await job.jobs.keys('done')).size).toBe(KEYS.length);
  });

  it('is no matter to one that sees the store and no folder of the photos: it hands back as well, and is named', async () => {
    const units = KEYS.map((key) => ({
      key,
      name: key.slice(-1),
      work: {
        kind: 'features',
        backbone: 'none',
        weights: '0'.repeat(64),
        plan: {},
        crop: null,
        photos: [{ imageId: 'c', path: '/not-mounted/flight/c.jpg' }],
      } as const,
    }));
    const job = await planJob('features', 'Extracting', join(root, 'mixed'), () => units, { out: 'c.npy' });
    const [worked, told]: [string[], string[]] = [[], []];
    const blind = await startWorker({
      url: redis.url,
      queues: ['cpu'],
      scratch: join(root, 'scratch'),
      tell: (line) => void worked.push(line),
    });
    const watched = queueEngine({ url: redis.url }).run(job, {
      stage: () => {},
      advance: () => {},
      done: () => {},
      line: (line) => void told.push(line),
    });
    await until(() => told.length > 0);
    const able = await ableWorker(job.jobs);
    await watched;
    await Promise.all([blind.stop(), able.stop()]);
    expect(worked).toEqual([
      expect.stringMatching(/: handed back for 30 s: this machine sees no \/not-mount/),
    ]);
    expect(told).toEqual([
      expect.stringMatching(
        /^warning: \S+ hands units back: this machine sees no \/not-mounted\/flight, where photos lie; mount it/,
      ),
    ]);
    expect((await job.jobs.keys('failed')).size).toBe(0);
  });
});
