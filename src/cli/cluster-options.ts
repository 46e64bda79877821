import { type Command, Option } from 'commander';
import { QUEUES, type QueueName, requireChunk, requireRedis } from '../cluster/choices.ts';
import type { Cluster, Engine } from '../cluster/index.ts';
import { countOf } from '../ground/counts.ts';
import { environment } from '../ground/environment.ts';
import { UsageError } from '../ground/errors.ts';
import { positiveNumber, positiveWhole } from './command.ts';
import { say } from './console.ts';

/** Options by which work is done elsewhere. */
export interface ClusterOptions {
  readonly on?: string;
  readonly store?: string;
  readonly queue?: QueueName;
  readonly wait?: number;
  /** Set by `plan` and `gather`, in place of `--on`. */
  readonly engine?: Engine;
}

/** Adds `--on`, `--store`, `--queue`. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('--on <where>', 'compute on many machines: redis://host:port, where `sward work` runs; or local')
    .option(
      '--store <place>',
      'where machines meet: a folder that all see, or s3://bucket/prefix; default a folder beside --out',
    )
    .addOption(
      new Option(
        '--queue <name>',
        'machines that the work is for; default gpu where SWARD_PROVIDER names one, else cpu',
      ).choices(QUEUES),
    )
    .addOption(waitOption());
}

/** `--wait`. */
export const waitOption = (): Option =>
  new Option(
    '--wait <seconds>',
    'how long a Redis that is not there at first is waited for; default 30',
  ).argParser(positiveNumber('--wait'));

/** Where work is to be done; null: here. @throws UsageError for what goes with `--on` alone */
export async function clusterOf({ on, store, queue, wait, engine }: ClusterOptions): Promise<Cluster | null> {
  if (on === undefined && engine === undefined) {
    if (store !== undefined) throw new UsageError('--store is for work on many machines; add --on redis://…');
    return null;
  }
  const machines = queue ?? (environment().provider === 'cpu' ? 'cpu' : 'gpu');
  return {
    engine: engine ?? (await engineOn(on ?? '', machines, wait)),
    ...(store !== undefined && { store }),
  };
}

/** What ends a command that waits, and leaves its work queued. */
const LEAVING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function engineOn(on: string, queue: QueueName, wait: number | undefined): Promise<Engine> {
  if (on !== 'local') requireRedis(on);
  const { localEngine, queueEngine, requireQueue } = await import('../cluster/index.ts');
  if (on === 'local') return localEngine();
  await requireQueue({
    url: on,
    queue,
    tellOfWait: say,
    ...(wait !== undefined && { patienceSeconds: wait }),
  });
  // One that was reached is waited for as long as it takes.
  const engine = queueEngine({ url: on, queue, patienceSeconds: Number.POSITIVE_INFINITY });
  return {
    ...engine,
    async run(job, progress) {
      const tell = (): void =>
        say(`the work stays queued (${job.jobs.location}); the same command attaches again`);
      // The handler of the whole program ends it at once.
      for (const signal of LEAVING) process.prependOnceListener(signal, tell);
      try {
        await engine.run(job, progress);
      } finally {
        for (const signal of LEAVING) process.off(signal, tell);
      }
    },
  };
}

/**
 * Carries out a command's work elsewhere; ends well, too, where another command of the same work has written the same
 * result meanwhile.
 *
 * @param written what is written of the result last
 * @returns undefined where it was another
 */
export async function orWrittenByAnother<Result>(
  written: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const { GatheredElsewhere, versionOf } = await import('../cluster/index.ts');
  const before = await versionOf(written);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatheredElsewhere)) throw error;
    const after = await versionOf(written);
    if (after === null || after === before) throw error;
    say(`another command of the same work has written ${written}`);
    return undefined;
  }
}

/** Adds `--chunk`. */
export function addChunkOption(command: Command): Command {
  return command.option(
    '--chunk <n>',
    'with --on: photos of one unit, a multiple of 16; default 256',
    (text) => requireChunk(positiveWhole('--chunk')(text)),
  );
}

/** What is told of photos that could not be used. */
export const problemLine = (problems: number, file: string): string =>
  `warning: ${countOf(problems, 'photo')} could not be used; ${file} says why`;
