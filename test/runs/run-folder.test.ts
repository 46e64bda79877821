import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError, SwardError } from '../../src/ground/errors.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { lockFolder } from '../../src/runs/run-folder.ts';
import { makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { type TrainOptions, trainRun } from '../../src/workflows/train/train.ts';
import { predictFeatures, reseal } from '../support/ask-run.ts';
import { namelessReport } from '../support/run-contents.ts';
import { featureSource, type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const root = temporaryFolder('run-folder');
let files: SmallFeatureFiles;
/** A finished run that no test changes. */
const whole = join(root, 'whole');

async function options(out: string, changes: readonly string[] = []): Promise<TrainOptions> {
  return {
    source: featureSource(files, 0),
    recipe: await resolveRecipe('feature-ridge', [
      ...['estimator.kind=ridge', 'estimator.penalties=0.1', 'evaluation.leaveOneStateOut=false'],
      ...changes,
    ]),
    out,
    plan: { folds: 3 },
  };
}

/** A copy of the finished run. */
function copied(name: string): string {
  const out = join(root, name);
  cpSync(whole, out, { recursive: true });
  return out;
}

/** What a run folder holds, reports aside: their names and contents. */
const contents = (run: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'report.html')
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(run.length), readFileSync(path, 'base64')]),
  );

const manifestOf = (run: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as Record<string, unknown>;

const changeManifest = (run: string, changes: Record<string, unknown>): void =>
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...manifestOf(run), ...changes }));

/** A JSON value with each of its fields removed, and with each replaced by values of other types. */
function* mutations(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  const isList = Array.isArray(value);
  const rebuilt = (entries: [string, unknown][]): unknown =>
    isList ? entries.map(([, item]) => item) : Object.fromEntries(entries);
  const entries = Object.entries(value);
  for (const [index, [key, item]] of entries.entries()) {
    yield rebuilt(entries.toSpliced(index, 1));
    const others = [null, -1.5, 'else', true, [], {}].filter(
      (other) => typeof other !== typeof item || !other,
    );
    for (const other of [...others, ...mutations(item)]) {
      yield rebuilt(entries.with(index, [key, other]));
    }
  }
}

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 30, 1);
  await trainRun(await options(whole));
});

describe('a folder that is being written', () => {
  it('is refused to a second training, whatever it trains', async () => {
    const out = join(root, 'rivals');
    mkdirSync(out);
    const lock = await lockFolder(out);
    await expect(trainRun(await options(out))).rejects.toThrow(
      new RegExp(`rivals is being written by process ${process.pid} on .* since .*; wait for it`),
    );
    expect(readdirSync(out)).toEqual(['run.lock']);
    await lock.release();
    await trainRun(await options(out));
    expect(existsSync(join(out, 'run.lock'))).toBe(false);
  });

  it('lets one of two trainings that start together through, whose folds are not mixed', async () => {
    const out = join(root, 'together');
    const started = await Promise.allSettled([
      trainRun(await options(out)),
      trainRun({ ...(await options(out)), plan: { folds: 5 } }),
    ]);
    expect(started.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [refused] = started.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    expect(refused?.message).toMatch(/is being written|holds another run|holds an unfinished run/);
    const folds = readdirSync(out).filter((name) => name.startsWith('fold-'));
    const { count } = manifestOf(out).folds as { count: number };
    expect(folds).toHaveLength(count);
  });

  it('may be taken over from a process that is gone, or has shown no sign for long', async () => {
    for (const [name, owner, age] of [
      ['dead', { token: 'a', pid: 2 ** 22 + 1, host: hostname(), since: 'then' }, 0],
      ['silent', { token: 'b', pid: 1, host: 'elsewhere', since: 'then' }, 3600],
    ] as const) {
      const out = join(root, `left-${name}`);
      mkdirSync(out);
      const path = join(out, 'run.lock');
      writeFileSync(path, JSON.stringify(owner));
      utimesSync(path, new Date(), new Date(Date.now() - 1000 * age));
      await expect(trainRun(await options(out))).resolves.toBeDefined();
      expect(contents(out)).toEqual(contents(whole));
    }
  });

  it('is not taken from a living process of another machine', async () => {
    const out = join(root, 'living');
    mkdirSync(out);
    const owner = { token: 'c', pid: 1, host: 'elsewhere', since: 'now' };
    writeFileSync(join(out, 'run.lock'), JSON.stringify(owner));
    await expect(trainRun(await options(out))).rejects.toThrow(/process 1 on elsewhere/);
  });
});

describe('a folder that is lost while it is written', () => {
  /** Starts a training to which something happens once its first fold is there. */
  const disturbed = async (out: string, disturb: () => void): Promise<unknown> => {
    let isDone = false;
    const advance = (): void => {
      if (!isDone) disturb();
      isDone = true;
    };
    const progress = { stage: () => {}, advance, done: () => {} };
    return trainRun({ ...(await options(out)), progress }).catch((error: unknown) => error);
  };

  it('by removal: says so, and leaves nothing that would be in the way', async () => {
    const out = join(root, 'removed');
    const outcome = await disturbed(out, () => rmSync(out, { recursive: true }));
    expect(outcome).toBeInstanceOf(SwardError);
    expect(String(outcome)).toMatch(
      /removed was removed, or taken over .* while it was being written; start/,
    );
    expect(existsSync(out)).toBe(false);
    await trainRun({ ...(await options(out)), resume: true });
    expect(contents(out)).toEqual(contents(whole));
  });

  it('to another process: leaves that one its folder', async () => {
    const out = join(root, 'lost');
    const owner = { token: "another's", pid: 1, host: 'elsewhere', since: 'now' };
    const outcome = await disturbed(out, () => writeFileSync(join(out, 'run.lock'), JSON.stringify(owner)));
    expect(String(outcome)).toMatch(/lost was removed, or taken over by another process/);
    expect(JSON.parse(readFileSync(join(out, 'run.lock'), 'utf8'))).toEqual(owner);
    expect(readdirSync(out).sort()).toEqual(['fold-0', 'folds.csv', 'run.json', 'run.lock']);
  });
});

describe('an ensemble whose member', () => {
  it.each<[string, (member: string) => unknown, RegExp]>([
    [
      'is gone',
      (member) => rmSync(member, { recursive: true }),
      /is a member of .* not there any more; put it/,
    ],
    [
      'is unfinished',
      (member) => changeManifest(member, { status: 'incomplete', files: {} }),
      /unfinished run/,
    ],
    [
      'was trained again',
      (member) => changeManifest(member, { fingerprint: 'x' }),
      /was trained again since/,
    ],
    [
      'is damaged',
      (member) => writeFileSync(join(member, 'folds.csv'), ''),
      /is not the file that was written/,
    ],
  ])('%s predicts nothing and says which', async (name, change, message) => {
    const member = copied(`member that ${name}`);
    const out = join(root, `ensemble whose ${name}`);
    await makeEnsemble({ runs: [member], out, method: 'mean' });
    change(member);
    const asked = predictFeatures(out, files.features, files.ids);
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toThrow(`member that ${name}`);
  });
});

describe('a folder that sward did not write', () => {
  it('is refused whatever its run.json says, also where all is to be replaced', async () => {
    const out = join(root, 'other-tool');
    mkdirSync(join(out, 'fold-1'), { recursive: true });
    writeFileSync(join(out, 'fold-1', 'thesis.txt'), 'three years of work');
    for (const text of ['{"name":"mine"}', '{"format":2}', 'no JSON']) {
      writeFileSync(join(out, 'run.json'), text);
      for (const overwrite of [false, true]) {
        await expect(trainRun({ ...(await options(out)), overwrite })).rejects.toThrow(
          /its run.json is not one that sward wrote, or is damaged/,
        );
      }
      expect(readFileSync(join(out, 'run.json'), 'utf8')).toBe(text);
    }
    expect(existsSync(join(out, 'fold-1', 'thesis.txt'))).toBe(true);
  });

  it('is refused before anything in it is touched', async () => {
    const out = join(root, 'mine');
    mkdirSync(join(out, 'fold-0'), { recursive: true });
    writeFileSync(join(out, 'fold-0', 'thesis.txt'), 'three years of work');
    for (const overwrite of [false, true]) {
      await expect(trainRun({ ...(await options(out)), overwrite })).rejects.toThrow(
        /mine is there and is not a run folder \(it holds fold-0\)/,
      );
    }
    expect(readFileSync(join(out, 'fold-0', 'thesis.txt'), 'utf8')).toBe('three years of work');
    expect(readdirSync(out)).toEqual(['fold-0']);
  });

  it('is not made where a file or a link that leads nowhere is in the way', async () => {
    writeFileSync(join(root, 'a-file'), '');
    symlinkSync(join(root, 'nowhere'), join(root, 'a-link'));
    for (const [name, message] of [
      ['a-file', /a-file is there and is not a folder; choose another --out/],
      ['a-file/run', /a-file\/run is there and is not a folder; choose another --out/],
      ['a-link', /a-link: cannot be written: its folder is gone, or a link there leads nowhere; make/],
      ['a'.repeat(300), /: cannot be written: the name is too long; choose another place/],
    ] as const) {
      await expect(trainRun(await options(join(root, name))), name).rejects.toThrow(message);
    }
  });

  it('may be a link to an empty one', async () => {
    const [real, out] = [join(root, 'real'), join(root, 'linked')];
    mkdirSync(real);
    symlinkSync(real, out);
    await trainRun(await options(out));
    expect(contents(real)).toEqual(contents(whole));
    expect(await predictFeatures(out, files.features, files.ids)).toHaveLength(30);
  });

  it('is not one in which a kill left something before the first rename', async () => {
    const out = join(root, 'killed');
    mkdirSync(out);
    writeFileSync(join(out, '.run.json.123.ab12cd34.part'), '{"format":');
    writeFileSync(join(out, 'run.lock.ab12.part'), '{"tok');
    const owner = { token: 'a', pid: 2 ** 22 + 1, host: hostname(), since: 'then' };
    writeFileSync(join(out, 'run.lock'), JSON.stringify(owner));
    await trainRun({ ...(await options(out)), resume: true });
    expect(contents(out)).toEqual(contents(whole));
  });
});

describe('a run that lacks something', () => {
  it('is incomplete without its report, and finished by --resume', async () => {
    const out = copied('reportless');
    changeManifest(out, { status: 'incomplete', files: {} });
    rmSync(join(out, 'report.html'));
    await expect(openRun(out)).rejects.toThrow(/is an unfinished run/);
    await expect(trainRun(await options(out))).rejects.toThrow(/pass --resume to go on/);
    await trainRun({ ...(await options(out)), resume: true });
    expect(existsSync(join(out, 'report.html'))).toBe(true);
    expect(contents(out)).toEqual(contents(whole));
  });

  it('and is complete gets its report again from the same command', async () => {
    const out = copied('report-lost');
    const report = namelessReport(join(out, 'report.html'));
    rmSync(join(out, 'report.html'));
    await trainRun(await options(out));
    expect(namelessReport(join(out, 'report.html'))).toBe(report);
    expect(contents(out)).toEqual(contents(whole));
  });

  it.each(['scores.json', 'oof.csv'])(
    'and says that it is complete gets %s again by --resume',
    async (name) => {
      const out = copied(`lost-${name}`);
      rmSync(join(out, name));
      await expect(trainRun(await options(out))).rejects.toThrow(/unfinished run; pass --resume/);
      await trainRun({ ...(await options(out)), resume: true });
      expect(contents(out)).toEqual(contents(whole));
    },
  );

  it('trains a fold again whose model has changed since it was written, when it is resumed', async () => {
    for (const status of ['incomplete', 'complete']) {
      const out = copied(`damaged-${status}`);
      if (status === 'complete') rmSync(join(out, 'scores.json'));
      else changeManifest(out, { status });
      const model = join(out, 'fold-1', 'model.safetensors');
      const bytes = readFileSync(model);
      bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 16;
      writeFileSync(model, bytes);
      await trainRun({ ...(await options(out)), resume: true });
      expect(contents(out)).toEqual(contents(whole));
    }
  });

  it('says so when its manifest does not fit its own files', async () => {
    const files = manifestOf(whole).files as Record<string, string>;
    const { folds } = manifestOf(whole) as { folds: object };
    const outside = { ...files, '../../secret': '0'.repeat(64) };
    for (const [changes, message] of [
      [{ folds: { ...folds, count: 2 } }, /speaks of 2 folds, and of fold-2/],
      [{ folds: { ...folds, count: 4 } }, /names no fold-3 among the files/],
      [{ files: { 'folds.csv': files['folds.csv'] } }, /names no oof.csv among the files/],
      [{ files: outside }, /is not a run of this version \(files/],
    ] as const) {
      const out = copied('unfitting');
      changeManifest(out, changes);
      await expect(openRun(out)).rejects.toThrow(message);
      rmSync(out, { recursive: true });
    }
  });

  it('is refused once a bit of a file that it hashes has flipped, and once it is gone', async () => {
    const names = Object.keys(manifestOf(whole).files as object);
    const models = [0, 1, 2].flatMap((fold) => [
      `fold-${fold}/metrics.jsonl`,
      `fold-${fold}/model.safetensors`,
    ]);
    expect(names).toEqual(['domain.safetensors', ...models, 'folds.csv', 'oof.csv', 'scores.json']);
    const out = copied('flipped');
    for (const name of names) {
      const path = join(out, name);
      const bytes = readFileSync(path);
      // A ridge has no metrics: its file is empty, and any byte is one too many.
      const changed = bytes.length > 0 ? Buffer.from(bytes) : Buffer.from('\n');
      const middle = Math.floor(bytes.length / 2);
      if (bytes.length > 0) changed[middle] = (changed[middle] ?? 0) ^ 1;
      writeFileSync(path, changed);
      await expect(openRun(out), name).rejects.toThrow(
        `${path}: is not the file that was written (its SHA-256 is another)`,
      );
      rmSync(path);
      await expect(openRun(out), name).rejects.toThrow(`${path}: cannot be read`);
      writeFileSync(path, bytes);
    }
    await expect(openRun(out)).resolves.toBeDefined();
  });

  it.each([
    ['run', 300, 15],
    ['ensemble', 200, 30],
  ])(
    'is refused in one sentence whatever has happened to the manifest of the %s',
    async (kind, least, most) => {
      const out = kind === 'run' ? copied('mutated') : join(root, 'mutated-ensemble');
      if (kind === 'ensemble')
        await makeEnsemble({ runs: [whole], out, method: 'nnls', post: 'calibration' });
      const path = join(out, 'run.json');
      const text = readFileSync(path, 'utf8');
      const damaged = [...mutations(JSON.parse(text))].map((value) => JSON.stringify(value) ?? '');
      for (let length = 0; length < text.trim().length; length += 37) damaged.push(text.slice(0, length));
      damaged.push('null', '[]', '7', '"run"', `${text}}`, '\0'.repeat(text.length));
      expect(damaged.length).toBeGreaterThan(least);
      let accepted = 0;
      for (const [index, content] of damaged.entries()) {
        writeFileSync(path, content);
        const outcome = await predictFeatures(out, files.features, files.ids).catch(
          (error: unknown) => error,
        );
        if (Array.isArray(outcome)) {
          // What is not asked for, and what has a default.
          accepted++;
          continue;
        }
        const shown = `${index}: ${content.slice(0, 300)}`;
        expect(outcome, `${shown}\n${(outcome as Error).stack}`).toBeInstanceOf(SwardError);
        expect((outcome as Error).message, shown).toMatch(/^[^\n]*mutated[^\n]*; [^\n]+$/);
      }
      expect(accepted).toBeLessThan(most);
    },
  );

  it('of another format is told apart from a damaged one', async () => {
    const out = copied('formats');
    changeManifest(out, { format: 1 });
    await expect(openRun(out)).rejects.toThrow(
      /run.json: is a run folder of format 1, and this version of sward reads format 2; train the run again with --overwrite/,
    );
    changeManifest(out, { format: 3 });
    await expect(openRun(out)).rejects.toThrow(/format 3, .*; use the version of sward that wrote it/);
    changeManifest(out, { format: 2, seed: 'none' });
    await expect(openRun(out)).rejects.toThrow(/is not a run of this version \(seed/);
  });
});

describe('a fold whose model holds what is no number', () => {
  it('is an error that names the file and the matrix, never a row', async () => {
    const out = copied('not-numbers');
    const path = join(out, 'fold-2', 'model.safetensors');
    const bytes = readFileSync(path);
    bytes.writeDoubleLE(Number.NaN, bytes.length - 8);
    writeFileSync(path, bytes);
    reseal(out);
    const csv = join(root, 'not-numbers.csv');
    const source = { kind: 'features', features: files.features, ids: files.ids } as const;
    const asked = predictRun({ run: out, source, out: csv });
    await expect(asked).rejects.toThrow(InputError);
    await expect(asked).rejects.toThrow(
      /not-numbers\/fold-2\/model\.safetensors: intercept holds what is no number \(NaN\); copy the run anew/,
    );
    expect(existsSync(csv)).toBe(false);
  });
});

describe('a prediction that is no number', () => {
  it('is an error that names photo and member, never a row', async () => {
    const out = copied('unsound');
    const path = join(out, 'fold-2', 'model.safetensors');
    const bytes = readFileSync(path);
    // Masses that a double still holds, and whose sums it does not: the last doubles are of the last matrix.
    for (const back of [8, 16, 24]) bytes.writeDoubleLE(Number.MAX_VALUE, bytes.length - back);
    writeFileSync(path, bytes);
    reseal(out);
    const csv = join(root, 'unsound.csv');
    const source = { kind: 'features', features: files.features, ids: files.ids } as const;
    const asked = predictRun({ run: out, source, out: csv });
    await expect(asked).rejects.toThrow(SwardError);
    await expect(asked).rejects.toThrow(/^ID\d+: fold 2 of .*unsound predicts no finite/);
    expect(existsSync(csv)).toBe(false);
  });
});
