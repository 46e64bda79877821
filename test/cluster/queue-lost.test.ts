import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planJob } from '../../src/cluster/jobs/planned-job.ts';
import { queueEngine } from '../../src/cluster/queue/queue-engine.ts';
import { startWorker } from '../../src/cluster/queue/worker.ts';
import { describeWithRedis, startRedis } from '../support/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const root = temporaryFolder('queue-lost');
const KEYS = ['1', '2'].map((end) => `0123456789abcdef0123456789abcde${end}`);

describeWithRedis('a Redis that comes back without its queue', () => {
  it('is told of by the worker in one line, and the command queues again what is not done', async () => {
    const folder = join(root, 'redis');
    const redis = await startRedis(folder);
    const work = {
      kind: 'predict',
      run: 'starter',
      fingerprint: '',
      asked: { photos: [{ imageId: 'a', path: 'a.jpg' }] },
      tta: 'none',
    } as const;
    const units = KEYS.map((key) => ({ key, name: key.slice(-1), work }));
    const job = await planJob('predict', 'Predicting', join(root, 'store'), () => units, { out: 'a.csv' });
    const told: string[] = [];
    const begun: string[] = [];
    let mayEnd = false;
    const worker = await startWorker({
      url: redis.url,
      queues: ['cpu'],
      leaseSeconds: 1,
      tell: (line) => void told.push(line),
      async run({ key, name }) {
        if (await job.jobs.result(key)) return 'known';
        begun.push(name);
        await until(() => mayEnd);
        const attempt = await job.jobs.claim(key);
        await job.jobs.publish({ key, name, attempt, host: 'desk', seconds: 0, files: [] });
        return 'done';
      },
    });
    const watched = queueEngine({ url: redis.url, silentMs: 500 }).run(job, {
      stage: () => {},
      advance: () => {},
      done: () => {},
    });
    await until(() => begun.length > 0);
    await redis.kill();
    rmSync(join(folder, 'appendonlydir'), { recursive: true });
    await redis.start();
    await until(() => told.some((line) => line.startsWith('Redis does not know')));
    mayEnd = true;
    await watched;
    await worker.stop();
    expect(told.filter((line) => !/^predict-|^Redis is (away|back)/.test(line))).toEqual([
      expect.stringMatching(
        /^Redis does not know any more what is computed here: it came back without its queue/,
      ),
    ]);
    await redis.kill();
  });
});
