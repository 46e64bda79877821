// A worker whose event loop stands still, from when its unit is computed until long after its lease has ended.
import { startWorker } from '../../dist/cluster/index.js';
import { runUnit } from '../../dist/cluster/units/run-unit.js';

const [url, seconds] = process.argv.slice(2);
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
          const end = performance.now() + 1000 * Number(seconds);
          while (performance.now() < end);
          process.stderr.write('goes on\n');
          return outcome;
        },
      },
      onShare,
    ),
});
