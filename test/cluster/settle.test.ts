import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PartsPlace } from '../../src/cluster/jobs/parts.ts';
import { planJob } from '../../src/cluster/jobs/planned-job.ts';
import { clearAway } from '../../src/cluster/jobs/results.ts';
import { requireDone } from '../../src/cluster/jobs/settle.ts';
import { queueRefusal } from '../../src/cluster/queue/connection.ts';
import { GatheredElsewhere, JobStore } from '../../src/cluster/units/job-store.ts';
import { clearStaged, StagedFiles, stageFiles } from '../../src/cluster/units/staged.ts';
import { configure, environment } from '../../src/ground/environment.ts';
import { placeUnder } from '../../src/ground/moved-files.ts';
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

it('parts of another prediction are never removed, and those of the same are written over', async () => {
  const folder = join(temporaryFolder('settle-parts'), 'parts');
  const store = openStore(folder);
  const jobs = new JobStore(openStore(join(folder, '..', 'work')), 'predict-1');
  const [first, second] = [new PartsPlace(folder), new PartsPlace(folder)];
  const list = {
    format: 1,
    sward: packageVersion(),
    store: jobs.store.location,
    job: jobs.job,
    units: [],
  } as const;
  await jobs.putList(list);
  await first.take('one', jobs);
  await store.put('part-00000.csv', 'of one');
  await expect(second.requireFree('two')).rejects.toThrow(
    /holds parts of another prediction.*choose another/,
  );
  await expect(second.take('two', jobs)).rejects.toThrow(/holds parts of another prediction/);
  await second.take('one', jobs);
  await store.put('summary.json', '{}');
  await first.giveBack();
  await expect(first.requireUnfinished('one')).rejects.toThrow(/holds a finished prediction/);
  // Whoever comes to a place that has been finished meanwhile: by the same work, whose job is gone, or by other work.
  await jobs.remove();
  await expect(second.take('one', jobs)).rejects.toThrow(GatheredElsewhere);
  await jobs.putList(list);
  await expect(second.take('two', jobs)).rejects.toThrow(/holds a finished prediction/);
  expect(await store.facts('unfinished.json')).toBeNull();
  await store.remove('summary.json');
  await store.put('part-00000.csv', 'of nobody knows whom');
  await expect(first.take('one', jobs)).rejects.toThrow(/holds part-00000\.csv of another prediction/);
  expect(Buffer.from((await store.read('part-00000.csv')) ?? []).toString()).toBe('of nobody knows whom');
});

it('what a machine fetched for a job stays while it is used or wanted, and goes when the job is done or long unused', async () => {
  const folder = temporaryFolder('settle-staged');
  const [units, given] = [join(folder, 'units'), join(folder, 'weights.bin')];
  const jobs = new JobStore(openStore(join(folder, 'store')), 'predict-2');
  writeFileSync(given, 'weights');
  const staged = await stageFiles(jobs, [given]);
  const list = { format: 1, sward: packageVersion(), store: jobs.store.location, job: jobs.job } as const;
  await jobs.putList({ ...list, units: [unit] });
  const photos = [{ imageId: 'a', path: 'a.jpg' }];
  const work = { kind: 'predict', run: 'starter', fingerprint: '', asked: { photos }, tta: 'none' } as const;
  const open = () => StagedFiles.open({ ...list, ...unit, folder, staged, work }, join(units, key));
  const left = (): string[] => readdirSync(units);
  const isThere = ({ moved } = environment()): boolean =>
    moved ? existsSync(placeUnder(moved.root, given)) : false;
  const first = await open();
  expect(readFileSync(first.place(given), 'utf8')).toBe('weights');
  await first[Symbol.asyncDispose]();
  await clearStaged(units);
  expect(isThere()).toBe(true);
  const second = await open();
  await jobs.remove();
  await clearStaged(units);
  expect(isThere()).toBe(true);
  await second[Symbol.asyncDispose]();
  await clearStaged(units);
  expect(left()).toEqual([]);
  // Of a job that nobody ended, by age.
  await stageFiles(jobs, [given]);
  await jobs.putList({ ...list, units: [unit] });
  const third = await open();
  const [name = ''] = left();
  utimesSync(join(units, name, 'job.json'), 1, 1);
  await clearStaged(units);
  expect(isThere()).toBe(true);
  await third[Symbol.asyncDispose]();
  await clearStaged(units);
  expect(left()).toEqual([]);
  configure({ moved: null });
});
