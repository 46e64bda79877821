import { queueEngine } from '../../src/cluster/index.ts';
import { sleepingJob } from './sleeping-job.ts';

const [url = '', store = '', units = '', salt = ''] = process.argv.slice(2);
const job = await sleepingJob(store, Number(units), salt);
const began = performance.now();
let told = false;
await queueEngine({ url }).run(job, {
  stage() {},
  advance() {},
  note() {
    // The first note comes when all is looked up and queued.
    if (told) return;
    told = true;
    process.send?.({ attachedSeconds: (performance.now() - began) / 1000, rss: process.memoryUsage.rss() });
  },
  done() {},
});
process.send?.({ doneSeconds: (performance.now() - began) / 1000, rss: process.memoryUsage.rss() });
process.exit(0);
