import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('bad-input');
const sward = hostSward({ SWARD_CACHE: sharedCache() });
let made = 0;

async function freshFolder(): Promise<string> {
  const folder = join(root, `data-${made++}`);
  await writeSmallFolder(folder, { photos: 12 });
  return folder;
}

/** A PNG that says it is 30,000 × 30,000 grey pixels: some 100 kB on disk, 900 million pixels decoded. */
function hugePng(): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length, 0);
    head.write(type, 4, 'latin1');
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])), 0);
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(30_000, 0);
  header.writeUInt32BE(30_000, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((30_000 / 8 + 1) * 30_000));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

describe('a photo that cannot be used', () => {
  const spoilers: [string, (path: string) => void][] = [
    ['a truncated JPEG', (path) => truncateSync(path, Math.floor(readFileSync(path).length * 0.6))],
    ['a file of 0 bytes', (path) => writeFileSync(path, '')],
    ['a text file named .jpg', (path) => writeFileSync(path, 'this is not a photo\n')],
    ['a 30,000 × 30,000 PNG', (path) => writeFileSync(path, hugePng())],
  ];

  it.each(spoilers)('%s stops training with one line and leaves no run behind', async (_, spoil) => {
    const folder = await freshFolder();
    const photo = join(folder, 'train', 'ID1003.jpg');
    spoil(photo);
    const out = join(folder, 'run');
    const outcome = await sward(
      'train',
      folder,
      '--recipe',
      'descriptor-ridge',
      '--out',
      out,
      '--folds',
      '3',
    );
    expect(outcome.code).toBe(1);
    expect(errorLine(outcome)).toMatch(/^error: .*ID1003\.jpg: .*; /);
    expect(existsSync(out)).toBe(false);

    const check = await sward('check', folder, '--json');
    expect(check.code).toBe(1);
    expect(JSON.parse(check.stdout).problems).toMatchObject([
      { severity: 'error', code: 'unreadable-photo', where: 'train.csv row 17' },
    ]);
  });

  it('stops prediction before anything is written, or is left out when asked', async () => {
    const folder = await freshFolder();
    const run = join(folder, 'run');
    await sward('train', folder, '--recipe', 'descriptor-ridge', '--out', run, '--folds', '3');
    writeFileSync(join(folder, 'test', 'bad.jpg'), 'no');
    const out = join(folder, 'p.csv');
    const strict = await sward('predict', run, join(folder, 'test'), '--out', out);
    expect(strict.code).toBe(1);
    expect(errorLine(strict)).toMatch(/bad\.jpg/);
    expect(existsSync(out)).toBe(false);
    const lenient = await sward('predict', run, join(folder, 'test'), '--out', out, '--skip-unusable');
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toMatch(/left out: .*bad\.jpg/);
    expect(readFileSync(out, 'utf8')).toContain('ID1__GDM_g');
  });
});

describe('check', () => {
  it('is content with a good folder, whatever line ends and byte-order mark its tables have', async () => {
    const folder = await freshFolder();
    const table = join(folder, 'train.csv');
    writeFileSync(table, `\ufeff${readFileSync(table, 'utf8').replaceAll('\n', '\r\n')}`);
    const outcome = await sward('check', folder);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/12 training and 1 test photos, 0 errors, 0 warnings/);
  });

  it('lists problems of both tables and the photos in one go', async () => {
    const folder = await freshFolder();
    const table = join(folder, 'train.csv');
    const lines = readFileSync(table, 'utf8').trimEnd().split('\n');
    lines[1] = (lines[1] ?? '').replace(/[^,]+$/, '-1');
    writeFileSync(table, `${lines.join('\n')}\n`);
    writeFileSync(join(folder, 'train', 'ID1002.jpg'), '');
    copyFileSync(join(folder, 'train', 'ID1004.jpg'), join(folder, 'train', 'ID1005.jpg'));
    writeFileSync(join(folder, 'test.csv'), '');
    const { problems } = JSON.parse((await sward('check', folder, '--json')).stdout);
    const codes = problems.map((problem: { code: string }) => problem.code);
    expect(codes).toEqual([
      'negative-mass',
      'empty-file',
      'unreadable-photo',
      'duplicate-photo',
      'missing-target',
    ]);
  });

  it.each([
    ['no table', null, 'missing-file', /train\.csv/],
    ['an empty table', '', 'empty-file', /train\.csv/],
    ['a wrong header', 'id,mass\nx,1\n', 'wrong-header', /train\.csv row 1/],
    ['what is no text', Buffer.from([0x73, 0, 0xff, 1, 2, 3]), 'malformed-csv', /train\.csv/],
  ])('names %s', async (_, content, code, where) => {
    const folder = join(root, `table-${made++}`);
    await writeSmallFolder(folder, { photos: 2 });
    if (content === null) writeFileSync(join(folder, 'other.csv'), '');
    else writeFileSync(join(folder, 'train.csv'), content);
    const target = content === null ? join(folder, 'train') : folder;
    const outcome = await sward('check', target, '--json');
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout).problems[0]).toMatchObject({
      code,
      where: expect.stringMatching(where),
    });
  });
});

describe('features and ids', () => {
  const npy = join(root, 'f.npy');
  const ids = join(root, 'ids.txt');
  let labels = '';

  beforeAll(async () => {
    labels = join(await freshFolder(), 'train.csv');
    await writeNpyFloat32(npy, {
      rows: 12,
      columns: 2,
      data: Float32Array.from({ length: 24 }, (_, i) => (i * 7) % 11),
    });
  });

  const trainFeatures = (idList: string): ReturnType<typeof sward> => {
    writeFileSync(ids, idList);
    return sward(
      ...['train', '--features', npy, '--ids', ids, '--labels', labels],
      ...['--recipe', 'feature-ridge', '--folds', '3', '--out', join(root, `features-run-${made++}`)],
    );
  };
  const good = Array.from({ length: 12 }, (_, i) => `ID${1000 + i}`);

  it('train and predict by id', async () => {
    const outcome = await trainFeatures(good.join('\n'));
    expect(outcome.code).toBe(0);
    const run = join(root, `features-run-${made - 1}`);
    const out = join(root, 'fp.csv');
    expect((await sward('predict', run, '--features', npy, '--ids', ids, '--out', out)).code).toBe(0);
    const narrow = join(root, 'narrow.npy');
    await writeNpyFloat32(narrow, { rows: 12, columns: 1, data: new Float32Array(12) });
    const refused = await sward('predict', run, '--features', narrow, '--ids', ids, '--out', out);
    expect(refused.code).toBe(1);
    expect(errorLine(refused)).toMatch(/narrow\.npy: has 1 column, but .* was trained on 2/);
  });

  it.each([
    [good.slice(1).join('\n'), /names 11 photos but .*f\.npy has 12 rows/],
    [[...good.slice(1), 'ID9'].join('\n'), /row 12: ID9 has no label in .*train\.csv/],
    [[...good.slice(1), 'ID1001'].join('\n'), /row 12: repeats ID1001/],
  ])('refuses an id list that does not match', async (list, message) => {
    const outcome = await trainFeatures(list);
    expect(outcome.code).toBe(1);
    expect(errorLine(outcome)).toMatch(message);
  });

  it('refuses a recipe for the other kind of input', async () => {
    writeFileSync(ids, good.join('\n'));
    const outcome = await sward(
      ...['train', '--features', npy, '--ids', ids, '--labels', labels],
      ...['--recipe', 'descriptor-ridge', '--out', join(root, 'never')],
    );
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toMatch(/reads photos; give a data folder/);
  });
});
