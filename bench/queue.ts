import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { startRedis } from '../test/support/redis-server.ts';
import { sleepingJob } from './cluster/sleeping-job.ts';

const UNITS = Number(process.env.SWARD_BENCH_UNITS ?? 100_000);
const WORKERS = 2;
const CONCURRENCY = 50;
const SLEEP_MS = 5;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

interface Told {
  readonly attachedSeconds?: number;
  readonly doneSeconds?: number;
  readonly rss: number;
}

function start(name: string, ...args: (string | number)[]): { child: ChildProcess; heard: Told[] } {
  const child = fork(join(import.meta.dirname, 'cluster', `${name}.ts`), args.map(String), {
    execArgv: ['--import', 'tsx'],
  });
  const heard: Told[] = [];
  child.on('message', (told: Told) => heard.push(told));
  return { child, heard };
}

/** Units that sleep, on a Redis of this machine: what the queue itself costs, and a coordinator that is killed half-way. */
export async function run(): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'sward-bench-queue-'));
  const redis = await startRedis(join(folder, 'redis'));
  const store = join(folder, 'store');
  const queue = new Queue('sward-cpu', { connection: { url: redis.url } });
  const memory = async (): Promise<number> => {
    const [, bytes = ''] = /used_memory:(\d+)/.exec(await (await queue.backend.client).info()) ?? [];
    return Number(bytes) / 2 ** 20;
  };
  const started: ChildProcess[] = [];
  try {
    const began = performance.now();
    await sleepingJob(store, UNITS, 'bench');
    const laidOut = (performance.now() - began) / 1000;
    say(`${UNITS} specs laid out in ${laidOut.toFixed(1)} s`);
    const empty = await memory();
    const first = start('sleeping-coordinator', redis.url, store, UNITS, 'bench');
    started.push(first.child);
    const queuing = performance.now();
    while ((await queue.getWaitingCount()) < UNITS) await pause(200);
    const queued = (performance.now() - queuing) / 1000;
    const full = await memory();
    say(
      `queued in ${queued.toFixed(1)} s; Redis ${(full - empty).toFixed(0)} MiB, ${Math.round(((full - empty) * 2 ** 20) / UNITS)} bytes a unit`,
    );
    const working = performance.now();
    for (let worker = 0; worker < WORKERS; worker++) {
      started.push(start('sleeping-worker', redis.url, CONCURRENCY, SLEEP_MS).child);
    }
    while ((await queue.getWaitingCount()) > UNITS / 2) await pause(200);
    const half = (performance.now() - working) / 1000;
    first.child.kill('SIGKILL');
    const second = start('sleeping-coordinator', redis.url, store, UNITS, 'bench');
    started.push(second.child);
    const restarted = performance.now();
    while (!second.heard.some(({ attachedSeconds }) => attachedSeconds !== undefined)) await pause(100);
    const attached = (performance.now() - restarted) / 1000;
    say(
      `half done in ${half.toFixed(1)} s (${(UNITS / 2 / half).toFixed(0)} a second); coordinator attached again in ${attached.toFixed(1)} s`,
    );
    while (!second.heard.some(({ doneSeconds }) => doneSeconds !== undefined)) await pause(200);
    const all = (performance.now() - working) / 1000;
    const last = second.heard.at(-1);
    say(`all done in ${all.toFixed(1)} s`);
    return {
      units: UNITS,
      laidOutSeconds: laidOut,
      queuedSeconds: queued,
      redisMebibytes: full - empty,
      unitsASecond: UNITS / 2 / half,
      coordinatorRestartSeconds: attached,
      coordinatorMebibytes: (last?.rss ?? 0) / 2 ** 20,
    };
  } finally {
    for (const child of started) child.kill('SIGKILL');
    await queue.close();
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
