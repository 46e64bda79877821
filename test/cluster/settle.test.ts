import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planJob } from '../../src/cluster/jobs/planned-job.ts';
import { clearAway } from '../../src/cluster/jobs/results.ts';
import { requireDone } from '../../src/cluster/jobs/settle.ts';
import { queueRefusal } from '../../src/cluster/queue/connection.ts';
import { JobStore } from '../../src/cluster/units/job-store.ts';
import { packageVersion } from '../../src/ground/version.ts';
import { openStore } from '../../src/storage/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key = '0123456789abcdef'.repeat(2);
const unit = { key, name: 'photos 1 to 16' };

it('units of a job that another command has gathered are not told of as missing', async () => {
  const folder = join(temporaryFolder('settle'), 'store');
  const jobs = new JobStore(openStore(folder), 'predict-1');
  const job = { jobs, title: 'Predicting', units: [unit], out: folder, listed: null };
  const list = {
    format: 1,
    sward: packageVersion(),
    store: folder,
    job: 'predict-1',
    units: [unit],
  } as const;
  await jobs.putList(list);
  await expect(requireDone(job)).rejects.toThrow(/1 unit of 1 is missing: photos 1 to 16: not begun/);
  await jobs.remove();
  await expect(requireDone(job)).rejects.toThrow(/another command of the same work has gathered it/);
});

it('two jobs for one --out in a store that commands share are told of, until the first is gathered', async () => {
  const store = join(temporaryFolder('settle-outs'), 'store');
  const told: string[] = [];
  const planned = (unitKeyEnd: string, out: string) =>
    planJob(
      'predict',
      'Predicting',
      store,
      () => [
        {
          name: 'photos 1 to 16',
          key: `${key.slice(0, -1)}${unitKeyEnd}`,
          work: {
            kind: 'predict',
            run: 'starter',
            fingerprint: '',
            asked: { photos: [{ imageId: 'a', path: 'a.jpg' }] },
            tta: 'none',
          },
        },
      ],
      { out, tell: (line) => told.push(line) },
    );
  const first = await planned('1', 'a.csv');
  await planned('1', 'a.csv');
  await planned('2', 'b.csv');
  expect(told).toEqual([]);
  const second = await planned('3', 'a.csv');
  expect(told).toEqual([expect.stringMatching(/other work for the same --out.*Choose another --out/)]);
  await clearAway(first);
  await planned('3', 'a.csv');
  expect(told).toHaveLength(1);
  await clearAway(second);
});

it('a Redis that takes no work says why, and what helps', () => {
  expect(
    String(queueRefusal(new Error("OOM command not allowed when used memory > 'maxmemory'. script: 5a"))),
  ).toMatch(
    /Redis takes no work: its memory is full \(OOM [^.]*'maxmemory'\); raise its maxmemory .*, then run the same command/,
  );
  expect(String(queueRefusal(new Error('MISCONF Redis is configured to save')))).toMatch(/make room there/);
  const other = new Error('something else');
  expect(queueRefusal(other)).toBe(other);
});
