import { Option } from 'commander';
import { QUEUES, type QueueName } from '../cluster/choices.ts';
import { UsageError } from '../ground/errors.ts';
import { packageVersion } from '../ground/version.ts';
import { waitOption } from './cluster-options.ts';
import { type CommandRegistrar, positiveNumber, positiveWhole } from './command.ts';
import { say } from './console.ts';

interface WorkCommandOptions {
  readonly on: string;
  readonly concurrency: number;
  readonly queues: readonly QueueName[];
  readonly threads?: number;
  readonly lease: number;
  readonly grace: number;
  readonly scratch?: string;
  readonly wait?: number;
}

/** `sward work`: computes what other machines have queued. */
export const registerWork: CommandRegistrar = (program) => {
  program
    .command('work')
    .description('compute what `--on` has queued, until it is ended')
    .requiredOption('--on <redis://…>', 'the Redis that work is queued on')
    .option('--concurrency <n>', 'units of each queue at the same time', positiveWhole('--concurrency'), 1)
    .option('--queues <cpu,gpu>', 'what this machine is for', queueList, ['cpu'])
    .option('--threads <n>', 'threads of a unit; default one a physical core', positiveWhole('--threads'))
    .addOption(
      new Option('--lease <seconds>', 'a worker that shows no sign for so long has its unit given to another')
        .argParser(positiveNumber('--lease'))
        .default(30),
    )
    .addOption(
      new Option('--grace <seconds>', 'how long units may go on after SIGTERM before they are handed back')
        .argParser(positiveNumber('--grace'))
        .default(25),
    )
    .option('--scratch <DIR>', 'folder for what units keep while they work; default one of the cache')
    .addOption(waitOption())
    .action(async ({ on, lease, grace, queues, wait, ...options }: WorkCommandOptions) => {
      const { startWorker } = await import('../cluster/index.ts');
      const worker = await startWorker({
        ...options,
        url: on,
        queues,
        leaseSeconds: lease,
        graceSeconds: grace,
        ...(wait !== undefined && { patienceSeconds: wait }),
        tell: say,
      });
      say(`working on ${queues.join(', ')}, for commands of sward ${packageVersion()}; Ctrl-C ends it`);
      await new Promise<void>((settle) => {
        // In place of the program's own handlers, which end it at once.
        for (const signal of ['SIGINT', 'SIGTERM'] as const) {
          process.removeAllListeners(signal);
          process.once(signal, () => {
            say(`ending: units have ${grace} s, then they are handed back`);
            process.once(signal, () => process.exit(1));
            void worker.stop().then(settle);
          });
        }
      });
      // Connections that a Redis does not close any more hold nothing up.
      process.exit(0);
    });
};

function queueList(text: string): QueueName[] {
  const names = text.split(',').map((name) => name.trim());
  const known = names.flatMap((name) => QUEUES.find((queue) => queue === name) ?? []);
  if (known.length === names.length) return [...new Set(known)];
  throw new UsageError(`--queues ${text}: give ${QUEUES.join(' or ')}, or both`);
}
