import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startRedis } from '../test/support/redis-server.ts';
import { runContents } from '../test/support/run-contents.ts';
import { writeSmallFeatures } from '../test/support/small-feature-files.ts';
import { type Command, start } from './cluster/command.ts';

const WORKERS = 4;
const KILL_EVERY_SECONDS = 10;
const EPOCHS = Number(process.env.SWARD_BENCH_EPOCHS ?? 3_000);

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/**
 * 5 folds × 2 members by four workers, of which one is killed every ten seconds; Redis and the coordinator are killed
 * once each. Compared with what one process leaves, byte by byte.
 */
export async function run(): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'sward-bench-kills-'));
  const at = (name: string): string => join(folder, name);
  const redis = await startRedis(at('redis'));
  const all: Command[] = [];
  const begin = (args: readonly string[]): Command => {
    const started = start(args, at('cache'));
    all.push(started);
    return started;
  };
  try {
    const files = await writeSmallFeatures(at('data'), 60, 1);
    const command = (out: string): string[] => [
      ...['train', '--features', files.features[0] ?? '', '--ids', files.ids, '--labels', files.labels],
      ...['--recipe', 'feature-mlp', '--set', 'estimator.members=2', '--set', `estimator.epochs=${EPOCHS}`],
      ...['--folds', '5', '--out', out],
    ];
    let began = performance.now();
    const lone = begin(command(at('alone')));
    await lone.ended;
    const loneSeconds = (performance.now() - began) / 1000;
    say(`one process: ${loneSeconds.toFixed(0)} s`);
    began = performance.now();
    const work = (): Command => begin(['work', '--on', redis.url, '--lease', '5', '--threads', '1']);
    const workers = Array.from({ length: WORKERS }, work);
    const attach = (): Command => begin([...command(at('disturbed')), '--on', redis.url]);
    let coordinator = attach();
    let ended = false;
    let kills = 0;
    for (let turn = 1; !ended; turn++) {
      await Promise.race([coordinator.ended.then(() => (ended = true)), pause(1000 * KILL_EVERY_SECONDS)]);
      if (ended) break;
      workers[turn % WORKERS]?.child.kill('SIGKILL');
      workers[turn % WORKERS] = work();
      kills++;
      if (turn === 2) {
        await redis.kill();
        await pause(2_000);
        await redis.start();
        say('Redis killed and started again');
      }
      if (turn === 3) {
        coordinator.child.kill('SIGKILL');
        await pause(500);
        coordinator = attach();
        say('coordinator killed and started again');
      }
    }
    const seconds = (performance.now() - began) / 1000;
    const isSame = JSON.stringify(runContents(at('disturbed'))) === JSON.stringify(runContents(at('alone')));
    say(
      `${WORKERS} workers, ${kills} of them killed: ${seconds.toFixed(0)} s, ${isSame ? 'the same bytes' : 'OTHER BYTES'}`,
    );
    return { loneSeconds, seconds, kills, sameBytes: isSame };
  } finally {
    for (const { child } of all) child.kill('SIGKILL');
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
