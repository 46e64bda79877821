import { setTimeout as pause } from 'node:timers/promises';
import { startWorker } from '../../src/cluster/index.ts';
import { JobStore } from '../../src/cluster/units/job-store.ts';

const [url = '', concurrency = '', milliseconds = ''] = process.argv.slice(2);
await startWorker({
  url,
  queues: ['cpu'],
  concurrency: Number(concurrency),
  async run(spec) {
    const jobs = JobStore.of(spec);
    const { key, name } = spec;
    const attempt = await jobs.claim(key);
    await pause(Number(milliseconds));
    await jobs.publish({ key, name, attempt, host: 'bench', seconds: 0, files: [] });
    return 'done';
  },
});
