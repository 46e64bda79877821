import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startWorkers, type WorkerPool } from '../../src/ground/worker-pool.ts';
import type { PreparationTask } from '../../src/vision/features/prepare-worker.ts';

const caller = pathToFileURL(join(import.meta.dirname, '..', '..', 'src/vision/features/extract.ts')).href;

const task: PreparationTask = {
  pixels: { width: 64, height: 32, data: new Uint8Array(64 * 32 * 3) },
  recipe: {
    plan: 'halves',
    size: 28,
    interpolation: 'bicubic',
    mean: [0, 0, 0],
    std: [1, 1, 1],
    turn: 0,
  },
};

function started(): WorkerPool<PreparationTask, Float32Array> {
  const pool = startWorkers<PreparationTask, Float32Array>(caller, 'prepare-worker', 2);
  if (!pool) throw new Error('the workers are not built; run npm run build');
  return pool;
}

describe('a pool of workers', () => {
  it('hands over every result it owes before its threads end', async () => {
    for (let round = 0; round < 5; round++) {
      const pool = started();
      const outcomes = Array.from({ length: 6 }, () => pool.run(task));
      await pool.close();
      for (const views of await Promise.all(outcomes)) expect(views).toHaveLength(2 * 3 * 28 * 28);
    }
  });

  it('ends threads that have only begun without taking the process along', () => {
    const module = join(import.meta.dirname, '..', '..', 'dist', 'ground', 'worker-pool.js');
    const begin = `
      const { startWorkers } = await import(${JSON.stringify(pathToFileURL(module).href)});
      for (let wait = 0; wait < 60; wait++) {
        const pool = startWorkers(${JSON.stringify(caller)}, 'prepare-worker', 2);
        await new Promise((settle) => setTimeout(settle, wait));
        await pool.close();
      }`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', begin]);
    expect([status, signal, String(stderr)]).toEqual([0, null, '']);
  });

  it('keeps no result alive that nobody holds', () => {
    const module = join(import.meta.dirname, '..', '..', 'dist', 'ground', 'worker-pool.js');
    const ask = `
      const { startWorkers } = await import(${JSON.stringify(pathToFileURL(module).href)});
      const pool = startWorkers(${JSON.stringify(caller)}, 'prepare-worker', 1);
      const pixels = { width: 64, height: 32, data: new Uint8Array(64 * 32 * 3) };
      const task = { pixels, recipe: ${JSON.stringify(task.recipe)} };
      const results = [];
      for (let count = 0; count < 20; count++) results.push(new WeakRef(await pool.run(task)));
      const alive = () => results.filter((result) => result.deref()).length;
      for (let round = 0; round < 100 && alive() > 0; round++) {
        await new Promise((settle) => setTimeout(settle, 20));
        gc();
      }
      console.log(alive());
      await pool.close();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', ask]);
    expect([String(stdout), String(stderr)]).toEqual(['0\n', '']);
  });

  it('takes no task once it is closed', async () => {
    const pool = started();
    await pool.close();
    await expect(pool.run(task)).rejects.toThrow(/after the threads had been ended/);
  });
});
