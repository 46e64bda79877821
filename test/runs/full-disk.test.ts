import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/ground/errors.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { type TrainOptions, trainRun } from '../../src/workflows/train/train.ts';
import { runContents } from '../support/run-contents.ts';
import { featureSource, type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

/** Writes that the disk still takes; the next one is cut in half. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY, hasFailed: false }));

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const isFull = (): boolean => {
    if (disk.room-- > 0) return false;
    disk.hasFailed = true;
    return true;
  };
  const full = (): Error =>
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const cut = (content: unknown): string | Uint8Array =>
    typeof content === 'string' || content instanceof Uint8Array
      ? content.slice(0, content.length / 2)
      : new Uint8Array();
  return {
    ...fs,
    mkdir: async (...args: Parameters<typeof fs.mkdir>) => {
      if (isFull()) throw full();
      return fs.mkdir(...args);
    },
    writeFile: async (...[path, content, options]: Parameters<typeof fs.writeFile>) => {
      if (!isFull()) return fs.writeFile(path, content, options);
      await fs.writeFile(path, cut(content), options);
      throw full();
    },
    appendFile: async (...[path, content, options]: Parameters<typeof fs.appendFile>) => {
      if (!isFull()) return fs.appendFile(path, content, options);
      await fs.appendFile(path, cut(content), options);
      throw full();
    },
    open: async (...args: Parameters<typeof fs.open>) => {
      const handle = await fs.open(...args);
      const write = handle.write.bind(handle);
      const refusing = async (...given: Parameters<typeof write>): ReturnType<typeof write> => {
        if (isFull()) throw full();
        return write(...given);
      };
      return Object.assign(handle, { write: refusing });
    },
  };
});

const root = temporaryFolder('full-disk');
const whole = join(root, 'whole');
let files: SmallFeatureFiles;

async function options(out: string): Promise<TrainOptions> {
  const changes = ['estimator.kind=ridge', 'estimator.penalties=0.1'];
  return {
    source: featureSource(files, 0),
    recipe: await resolveRecipe('feature-ridge', changes),
    out,
    plan: { folds: 2 },
  };
}

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 20, 1);
  await trainRun(await options(whole));
});

describe('a disk that becomes full', () => {
  it('at whichever write, leaves whole files only, a message, and a run that --resume finishes', async () => {
    const wanted = runContents(whole);
    let writes = 0;
    for (; ; writes++) {
      const out = join(root, `full-${writes}`);
      const asked = await options(out);
      Object.assign(disk, { room: writes, hasFailed: false });
      const outcome = await trainRun(asked).catch((error: unknown) => error);
      disk.room = Number.POSITIVE_INFINITY;
      if (!disk.hasFailed) break;
      expect(outcome, `write ${writes}`).toBeInstanceOf(InputError);
      expect(String(outcome)).toMatch(/full-\d+.* cannot be written: the disk is full; make room and go on/);
      const left = existsSync(out) ? runContents(out) : {};
      for (const [name, content] of Object.entries(left)) {
        if (name !== '/run.json') expect(content, `${name}, write ${writes}`).toBe(wanted[name]);
      }
      await expect(openRun(out)).rejects.toThrow(/is an unfinished run|cannot be read/);
      await trainRun({ ...asked, resume: true });
      expect(runContents(out), `write ${writes}`).toEqual(wanted);
    }
    expect(writes).toBeGreaterThan(15);
  });
});
