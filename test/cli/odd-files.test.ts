import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { errorLine, MAIN } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('odd-files');
const at = (name: string): string => join(root, name);
const environment = { SWARD_CACHE: sharedCache() };
const sward = hostSward(environment);
const STARTER = join(import.meta.dirname, '..', '..', 'runs', 'starter');

beforeAll(async () => {
  await writeSmallFolder(at('data'), { photos: 12 });
  mkdirSync(at('photos'));
  await writePhoto(at('photos/a.jpg'), 30, 1);
  for (const name of ['pipe', 'pipe.jpg', 'pipe.csv', 'pipe.npy']) execFileSync('mkfifo', [at(name)]);
  for (const name of ['zero.xlsx', 'zero.json', 'zero.csv']) symlinkSync('/dev/zero', at(name));
  symlinkSync('nowhere.jpg', at('dangling.jpg'));
  symlinkSync('loop.jpg', at('loop.jpg'));
  mkdirSync(at('folder.csv'));
});

describe.skipIf(process.platform === 'win32')('a photo whose name a terminal would obey', () => {
  const name = 'a\u001b[31m\nb<b>|,"\u009b.jpg';

  beforeAll(async () => {
    mkdirSync(at('named'));
    await writePhoto(at(`named/${name}`), 30, 1);
  });

  it('is shown as text, and its id is the same in the files', async () => {
    for (const ending of ['csv', 'geojson', 'json']) {
      const outcome = await sward('predict', at('named'), '--out', at(`named.${ending}`));
      expect(outcome.code).toBe(0);
      expect(`${outcome.stdout}${outcome.stderr}`).not.toMatch(/[^\P{Cc}\n]/u);
      expect(outcome.stdout).toContain('a\\u001b[31m\\nb<b>|,"\\u009b');
    }
    const [photo] = await readPredictions(at('named.csv'));
    expect(photo?.imageId).toBe('a\\u001b[31m\nb<b>|,"\\u009b');
    const { features } = JSON.parse(readFileSync(at('named.geojson'), 'utf8'));
    expect(features[0].properties.image_id).toBe(name.slice(0, -4));
  });

  it('stays on one line of an error, and is refused where it would break a list of ids', async () => {
    const list = ['--out', at('named.npy'), '--ids', at('named.ids')];
    const outcome = await sward('features', at('named'), '--backbone', 'efficientnet_lite0', ...list);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    expect(errorLine(outcome)).toMatch(/its name has a line break, .*; rename the photo$/);
  });
});

describe.skipIf(process.platform === 'win32')('what is no file is refused at once', () => {
  it.each([
    [['predict', at('pipe.jpg')], /pipe\.jpg: is a named pipe, not a file/],
    [['predict', at('dangling.jpg')], /dangling\.jpg: is a link to what is not there/],
    [['predict', at('loop.jpg')], /loop\.jpg: is a link that leads in a circle/],
    [
      ['train', at('pipe.csv'), '--out', at('run')],
      /pipe\.csv: cannot be read \(is not a file but a named pipe\)/,
    ],
    [
      ['train', at('zero.xlsx'), '--out', at('run')],
      /zero\.xlsx: cannot be read \(is not a file but a device\)/,
    ],
    [['train', at('data'), '--recipe', at('zero.json'), '--out', at('run')], /zero\.json: .*a device/],
    [['train', at('data'), '--folds', at('pipe.csv'), '--out', at('run')], /pipe\.csv: .*a named pipe/],
    [
      ['score', at('folder.csv'), at('zero.csv')],
      /folder\.csv: cannot be read \(is not a file but a folder\)/,
    ],
    [
      ['features', at('photos'), '--backbone', at('pipe'), '--out', at('f.npy'), '--ids', at('f.ids')],
      /pipe: .*a named pipe/,
    ],
    [
      [
        'train',
        '--features',
        at('pipe.npy'),
        '--ids',
        at('pipe'),
        '--labels',
        at('pipe.csv'),
        '--out',
        at('run'),
      ],
      /pipe\.npy: is not a file but a named pipe/,
    ],
  ])('%j', async (args, message) => {
    const outcome = await sward(...args);
    expect(errorLine(outcome)).toMatch(message);
    expect(outcome.code).toBe(1);
    expect(existsSync(at('run'))).toBe(false);
  });

  it('in the folder of a run, too', async () => {
    for (const file of ['run.json', 'calibration.json', 'fold-3/model.safetensors']) {
      rmSync(at('run-parts'), { recursive: true, force: true });
      cpSync(STARTER, at('run-parts'), { recursive: true });
      rmSync(at(`run-parts/${file}`));
      execFileSync('mkfifo', [at(`run-parts/${file}`)]);
      const outcome = await sward('predict', at('run-parts'), at('photos'));
      expect(errorLine(outcome)).toContain(`${file}: cannot be read (is not a file but a named pipe)`);
    }
  });
});

describe.skipIf(process.platform !== 'linux')('where nothing can be written', () => {
  it.each([
    ['/proc/sward/x.csv', /\/proc\/sward\/x\.csv: cannot be written/],
    [at('photos/a.jpg/x.csv'), /a\.jpg: is a file, where a folder is to be; choose another place/],
    [at('loop.jpg/x.csv'), /loop\.jpg\/x\.csv: cannot be written/],
    [at(`${'x'.repeat(300)}.csv`), /cannot be written: the name is too long/],
    [at('pipe.csv'), /pipe\.csv: cannot be written: it is a named pipe; name a file/],
    [at('folder.csv'), /folder\.csv: cannot be written: a folder of that name is in the way/],
  ])('predict and folds say so, and leave nothing: %s', async (out, message) => {
    const before = readdirSync(root);
    const outcomes = [
      await sward('predict', at('photos'), '--out', out),
      await sward('folds', at('data'), '--out', out),
    ];
    for (const outcome of outcomes) {
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(1);
    }
    expect(readdirSync(root)).toEqual(expect.arrayContaining(before));
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(lstatSync(at('pipe.csv')).isFIFO()).toBe(true);
  });

  it.each(['/proc/sward', '/proc/sward/run', '/dev/full'])(
    'train says so before it trains: %s',
    async (out) => {
      const outcome = await sward('train', at('data'), '--recipe', 'descriptor-ridge', '--out', out);
      expect(errorLine(outcome)).toMatch(/cannot be written|is not a folder/);
      expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    },
  );
});

/** Runs a command line of the shell, in which SWARD stands for the program. */
function shell(line: string, variables: Record<string, string> = {}): { code: number | null; text: string } {
  const command = line.replaceAll('SWARD ', `'${process.execPath}' '${MAIN}' `);
  const env = { ...process.env, ...environment, ...variables };
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, text: `${stdout}${stderr}` };
}

describe.skipIf(process.platform !== 'linux')('few files may be open', () => {
  const preload = `--import=${pathToFileURL(join(import.meta.dirname, '..', 'support', 'few-files.mjs'))}`;

  it('is said in one line, where the program cannot even be loaded', () => {
    const { code, text } = shell(`ulimit -n 40; SWARD predict '${at('photos')}'`);
    expect(text).toBe(
      'error: sward cannot be loaded: too many files are open; raise the limit (ulimit -n)\n',
    );
    expect(code).toBe(1);
  });

  it.each([
    ['predict', `predict '${at('photos')}' --out '${at('few.csv')}'`, 3],
    ['train', `train '${at('data')}' --recipe descriptor-ridge --folds 2 --out '${at('few')}'`, 3],
    [
      'train, where threads cannot start',
      `train '${at('data')}' --recipe descriptor-ridge --folds 2 --out '${at('few')}'`,
      8,
    ],
  ])('is an error or no matter: %s', (_, line, free) => {
    const variables = { FREE_FILES: String(free), NODE_OPTIONS: preload };
    const { code, text } = shell(`ulimit -n 500; SWARD ${line}`, {
      ...variables,
      SWARD_CACHE: at(`cold-${free}`),
    });
    expect(text).not.toMatch(/Node\.js v|should not happen|\n\s+at /);
    if (code !== 0)
      expect(text).toMatch(/error: .*too many files are open; raise the limit \(ulimit -n\)\n$/);
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('the home folder', () => {
  it('gets nothing of ONNX Runtime, which without our asking would report to its makers', () => {
    mkdirSync(at('home'));
    const { code, text } = shell(`env -u CI HOME='${at('home')}' SWARD predict '${at('photos')}'`);
    expect(code).toBe(0);
    expect(text).not.toContain('telemetry');
    expect(readdirSync(at('home'))).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('the streams', () => {
  it.each([
    ['a reader who has seen enough', 'set -o pipefail; SWARD recipes feature-boost | head -1 > /dev/null', 0],
    ['closed', `SWARD predict '${at('photos')}' >&- 2>&-`, 0],
    ['no input', `SWARD predict '${at('photos')}' <&-`, 0],
    ['a full disk', `SWARD predict '${at('photos')}' > /dev/full`, 1],
    ['no home', `HOME=/proc/nonexistent SWARD_CACHE= SWARD predict '${at('photos')}'`, 0],
    ['no folder for temporary files', `TMPDIR=/nonexistent SWARD predict '${at('photos')}'`, 0],
    ['a narrow, plain terminal', `TERM=dumb NO_COLOR=1 COLUMNS=0 SWARD predict --help`, 0],
  ])('%s', (name, line, expected) => {
    const { code, text } = shell(line);
    expect(code).toBe(expected);
    expect(text).not.toMatch(/Node\.js v|should not happen|EPIPE/);
    expect(text).not.toContain('\u001b');
    if (name === 'a full disk') expect(text).toMatch(/error: the result cannot be printed \(ENOSPC/);
  });
});
