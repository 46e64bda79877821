import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { configure } from '../../ground/environment.ts';
import { takeLock } from '../../ground/file-lock.ts';
import { makeFolder } from '../../ground/files.ts';
import { compute, OpenRuns } from './compute.ts';
import type { UnitNews, UnitOutcome, UnitTask } from './unit-task.ts';

const runs = new OpenRuns();

/** A process that computes one unit after another. */
serveTasks<UnitTask, UnitOutcome, UnitNews>(async ({ spec, scratch, attempt, machine }, tell) => {
  configure(machine);
  // Recipes may name weights from there. A machine that has no such folder shares none: what it needs comes by the store.
  if (existsSync(spec.folder)) process.chdir(spec.folder);
  const { folder, release } = await ownFolder(join(scratch, spec.key), attempt);
  try {
    const files = await compute(spec, folder, runs, {
      stage() {},
      advance() {},
      note: (_, share) => share !== undefined && tell({ share }),
      done() {},
    });
    return { folder, files };
  } finally {
    await release();
  }
});

/**
 * The folder of a unit on this machine, to go on with what an attempt that was killed has left there; one of this
 * attempt alone where another still works in it.
 */
async function ownFolder(
  usual: string,
  attempt: number,
): Promise<{ readonly folder: string; release(): Promise<void> }> {
  for (const folder of [usual, `${usual}.${hostname()}-${process.pid}-${attempt}`]) {
    await makeFolder(folder);
    const lock = await takeLock(join(folder, 'unit.lock'), () => new InUse()).catch((error: unknown) => {
      if (error instanceof InUse) return null;
      throw error;
    });
    if (lock) return { folder, release: () => lock.release() };
  }
  throw new InUse(`${usual} is in use, and so is every other folder of the unit`);
}

class InUse extends Error {}
