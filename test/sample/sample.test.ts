import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../src/ground/errors.ts';
import type { Progress } from '../../src/ground/progress.ts';
import { renderSample, type SampleSummary } from '../../src/sample/index.ts';

const SMALL = { count: 4, testCount: 2, width: 160, seed: 5 } as const;
const ORDER = ['Dry_Clover_g', 'Dry_Dead_g', 'Dry_Green_g', 'Dry_Total_g', 'GDM_g'];

let folder: string;
let summary: SampleSummary;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-sample-'));
  summary = await renderSample({ ...SMALL, out: join(folder, 'one'), threads: 1 });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsOf(name: string): Promise<Record<string, string>[]> {
  const text = await readFile(join(folder, 'one', name), 'utf8');
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const columns = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    expect(cells).toHaveLength(columns.length);
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}

/** Every file below a folder with a hash of its bytes. */
async function fingerprint(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = files.sort().map(async (path) => {
    const hash = createHash('sha256').update(await readFile(path));
    return [path.slice(root.length), hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashed));
}

describe('the rendered sample', () => {
  it('has the competition’s columns, with the rows of each photo in alphabetical order', async () => {
    const text = await readFile(join(folder, 'one', 'train.csv'), 'utf8');
    expect(text.split('\n')[0]).toBe(
      'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target',
    );
    const rows = await rowsOf('train.csv');
    expect(rows).toHaveLength(5 * SMALL.count);
    rows.forEach((row, index) => {
      expect(row.target_name).toBe(ORDER[index % 5]);
      expect(row.sample_id).toMatch(/^ID\d{9,10}__/);
      expect(row.sample_id).toBe(
        `${row.image_path?.slice('train/'.length, -'.jpg'.length)}__${row.target_name}`,
      );
      expect(row.Sampling_Date).toMatch(/^2015\/([1-9]|1[0-2])\/([1-9]|[12]\d|3[01])$/);
      expect(['Tas', 'Vic', 'NSW', 'WA']).toContain(row.State);
      expect(row.target).toMatch(/^\d+\.\d{1,4}$/);
    });
  });

  it('keeps masses at or above zero and both identities to the last decimal', async () => {
    const rows = await rowsOf('train.csv');
    for (let photo = 0; photo < SMALL.count; photo++) {
      const mass = (name: string): number => {
        const row = rows[5 * photo + ORDER.indexOf(name)];
        return Math.round(Number(row?.target) * 10_000);
      };
      for (const name of ORDER) expect(mass(name)).toBeGreaterThanOrEqual(0);
      expect(mass('Dry_Total_g')).toBeGreaterThan(0);
      expect(mass('GDM_g')).toBe(mass('Dry_Green_g') + mass('Dry_Clover_g'));
      expect(mass('Dry_Total_g')).toBe(mass('GDM_g') + mass('Dry_Dead_g'));
    }
  });

  it('gives NDVI and height within the range of the instruments', async () => {
    for (const row of await rowsOf('train.csv')) {
      expect(Number(row.Pre_GSHH_NDVI)).toBeGreaterThanOrEqual(0.16);
      expect(Number(row.Pre_GSHH_NDVI)).toBeLessThanOrEqual(0.91);
      expect(Number(row.Height_Ave_cm)).toBeGreaterThanOrEqual(1);
    }
  });

  it('lists the same ids in test.csv, the sample submission and the truth', async () => {
    const test = await rowsOf('test.csv');
    const submission = await rowsOf('sample_submission.csv');
    const truth = await rowsOf('test_truth.csv');
    const ids = test.map((row) => row.sample_id);
    expect(ids).toHaveLength(5 * SMALL.testCount);
    expect(submission.map((row) => row.sample_id)).toEqual(ids);
    expect(truth.map((row) => row.sample_id)).toEqual(ids);
    for (const row of submission) expect(row.target).toBe('0.0');
    for (const row of test) expect(row.image_path).toBe(`test/${row.sample_id?.split('__')[0]}.jpg`);
  });

  it('holds every listed photo, and only those, at the size asked for', async () => {
    for (const split of ['train', 'test']) {
      const listed = new Set((await rowsOf(`${split}.csv`)).map((row) => row.image_path));
      const found = await readdir(join(folder, 'one', split));
      expect(found.map((name) => `${split}/${name}`).sort()).toEqual([...listed].sort());
      for (const name of found) {
        const { format, width, height } = await sharp(join(folder, 'one', split, name)).metadata();
        expect({ format, width, height }).toEqual({ format: 'jpeg', width: 160, height: 80 });
      }
    }
  });

  it('does not show the test photos’ dates in training', async () => {
    const dates = new Set((await rowsOf('train.csv')).map((row) => row.Sampling_Date));
    expect(summary).toMatchObject({ trainImages: 4, testImages: 2 });
    // Every session has a date of its own, and the two test photos come from two more sessions.
    expect(summary.sessions).toBe(dates.size + 2);
  });

  it('gives the same bytes with two threads as with one, and another folder with another seed', async () => {
    const one = await fingerprint(join(folder, 'one'));
    await renderSample({ ...SMALL, out: join(folder, 'two'), threads: 2 });
    expect(await fingerprint(join(folder, 'two'))).toEqual(one);
    await renderSample({ ...SMALL, count: 1, testCount: 1, out: join(folder, 'other'), seed: 6, threads: 1 });
    const other = Object.values(await fingerprint(join(folder, 'other')));
    for (const hash of other) expect(Object.values(one)).not.toContain(hash);
  });

  it('can be rendered again over itself, also without a thread', async () => {
    const before = await fingerprint(join(folder, 'one'));
    await renderSample({ ...SMALL, out: join(folder, 'one'), threads: 0 });
    expect(await fingerprint(join(folder, 'one'))).toEqual(before);
  });

  it('reports each photo as it is done', async () => {
    let total = 0;
    let done = 0;
    let ended = 0;
    const progress: Progress = {
      stage: (_title, steps) => {
        total = steps;
      },
      advance: (steps = 1) => {
        done += steps;
      },
      done: () => {
        ended++;
      },
    };
    await renderSample({
      out: join(folder, 'watched'),
      count: 2,
      testCount: 1,
      width: 64,
      threads: 1,
      progress,
    });
    expect({ total, done, ended }).toEqual({ total: 3, done: 3, ended: 1 });
  });
});

describe('a sample that cannot be rendered', () => {
  it.each([
    ['no photos', { count: 0 }],
    ['less than none', { count: -3 }],
    ['half a photo', { count: 2.5 }],
    ['no number', { count: Number.NaN }],
    ['no test photo', { testCount: 0 }],
    ['a seed that is not whole', { seed: 0.5 }],
    ['a width of nothing', { width: 0 }],
    ['a negative number of threads', { threads: -1 }],
  ])('refuses %s with one line of advice', async (_what, options) => {
    const out = join(folder, 'never');
    const failure = renderSample({ out, ...options });
    await expect(failure).rejects.toThrow(UsageError);
    await expect(failure).rejects.toThrow(/^the .* is .*; give a whole number from \d+|-\d+ to \d+$/);
    await expect(readdir(out)).rejects.toThrow();
  });

  it('does not write over a file', async () => {
    const out = join(folder, 'file.txt');
    await writeFile(out, 'mine');
    const failure = renderSample({ out, count: 1, width: 64 });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow('file.txt: is a file; name a folder for the sample');
    expect(await readFile(out, 'utf8')).toBe('mine');
  });

  it('does not write into a folder with somebody’s own data', async () => {
    const out = await mkdtemp(join(folder, 'own-'));
    await writeFile(join(out, 'train.csv'), 'mine');
    await expect(renderSample({ out, count: 1, width: 64 })).rejects.toThrow(/name a new or empty folder$/);
    expect(await readdir(out)).toEqual(['train.csv']);
  });

  it('does not mix with a sample of other settings', async () => {
    const out = join(folder, 'one');
    await expect(renderSample({ ...SMALL, out, seed: 99 })).rejects.toThrow(
      /delete it or name another folder$/,
    );
  });
});
