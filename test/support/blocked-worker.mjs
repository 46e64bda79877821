// A worker whose event loop stands still, from when its unit is computed until a file is there, long after its lease.
import { existsSync } from 'node:fs';
import { startWorker } from '../../dist/cluster/index.js';
import { runUnit } from '../../dist/cluster/units/run-unit.js';

const [url, signal] = process.argv.slice(2);
await startWorker({
  url,
  queues: ['cpu'],
  leaseSeconds: 1,
  threads: 1,
  tell: (line) => process.stderr.write(`${line}\n`),
  run: (spec, children, onShare) =>
    runUnit(
      spec,
      {
        isEnding: false,
        async run(...task) {
          const outcome = await children.run(...task);
          process.stderr.write('blocked\n');
          while (!existsSync(signal));
          process.stderr.write('goes on\n');
          return outcome;
        },
      },
      onShare,
    ),
});
