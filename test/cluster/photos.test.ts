import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { fileFingerprint } from '../../src/ground/fingerprint.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { type LocalObjectStore, startObjectStore } from '../support/object-store.ts';
import { freePort } from '../support/redis-server.ts';
import { runContents } from '../support/run-contents.ts';
import { errorLine, runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { trainMappingRun } from '../support/small-run.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('cluster-photos');
const at = (name: string): string => join(root, name);
const [data, run, model, flight] = [at('data'), at('run'), at('model.safetensors'), at('flight')];
/** A run on the tiny backbone, whose predictions cost next to nothing. */
const tiny = at('tiny');
const tinyTraining = (out: string): string[] => [
  ...['train', data, '--recipe', 'feature-ridge', '--set', `backbone=${model}`, '--folds', '2'],
  ...['--out', out],
];
let objects: LocalObjectStore;
/** Those of the store come once it is there. */
const variables: Record<string, string> = { SWARD_CACHE: sharedCache() };
const sward = hostSward(variables, root);
const PHOTOS = 20;
/** Chunks of 16 and 6 photos. */
const ELSEWHERE = ['--on', 'local', '--chunk', '16'];

const text = (name: string): string => readFileSync(at(name), 'utf8');

beforeAll(async () => {
  objects = await startObjectStore(at('s3'), 'meadow');
  Object.assign(variables, objects.variables);
  await writeSmallFolder(data, { photos: 12 });
  mkdirSync(flight);
  for (let photo = 0; photo < PHOTOS; photo++) {
    await writePhoto(join(flight, `P${100 + photo}.jpg`), 2 * photo, 500 + photo);
  }
  writeFileSync(join(flight, 'P110 broken.jpg'), 'no photo');
  writeFileSync(join(flight, 'P116 empty.jpg'), '');
  const config = { dim: 24, depth: 2, heads: 3, imgSize: [42, 42] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(
    at('model.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
  for (const command of [['train', data, '--recipe', 'photo-ridge', '--out', run], tinyTraining(tiny)]) {
    const trained = await sward(...command);
    expect(trained.code, trained.stderr).toBe(0);
  }
});
afterAll(() => objects.end());

/** Puts photos into the bucket. */
async function stored(prefix: string): Promise<void> {
  const { configure } = await import('../../src/ground/environment.ts');
  const { environmentFrom } = await import('../../src/cli/environment.ts');
  const { openStore } = await import('../../src/storage/index.ts');
  configure(environmentFrom(variables));
  const store = openStore(`s3://meadow/${prefix}`);
  for (const name of readdirSync(flight)) await store.put(name, readFileSync(join(flight, name)));
  await store.put('model.safetensors', readFileSync(model));
  await store.put('model.json', readFileSync(at('model.json')));
}

/** Puts a folder into the bucket. */
async function storedFolder(folder: string, location: string): Promise<void> {
  const { openStore } = await import('../../src/storage/index.ts');
  const store = openStore(location);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) await store.upload(relative(folder, path), path, await fileFingerprint(path));
  }
}

describe('predicting on many machines', () => {
  it.each(['csv', 'json', 'geojson'])('writes the very .%s that one machine writes', async (ending) => {
    const options = ['--coverage', '0.8', '--uncertainty', '--tta', 'flips', '--skip-unusable'];
    const here = await sward('predict', tiny, flight, '--out', at(`here.${ending}`), ...options);
    const there = await sward(
      'predict',
      tiny,
      flight,
      '--out',
      at(`there.${ending}`),
      ...options,
      ...ELSEWHERE,
    );
    expect(there.code, there.stderr).toBe(0);
    expect(there.stderr).toMatch(/2\/2 units/);
    expect(text(`there.${ending}`)).toBe(text(`here.${ending}`));
    expect(there.stdout.replaceAll(at(`there.${ending}`), at(`here.${ending}`))).toBe(here.stdout);
    expect(existsSync(at(`there.${ending}.work`))).toBe(false);
  });

  it('makes every photo that cannot be used a row, and fails for none', async () => {
    const there = await sward('predict', run, flight, '--out', at('some.csv'), ...ELSEWHERE);
    expect(there.code, there.stderr).toBe(0);
    expect(there.stderr).toMatch(/warning: 2 photos could not be used; .*some\.problems\.csv says why/);
    expect(text('some.problems.csv').trimEnd().split('\n')).toEqual([
      'image_id,photo,problem',
      expect.stringMatching(/^P110 broken,\S.*flight\/P110 broken\.jpg,.*not a photo|^P110 broken,.*decode/),
      expect.stringMatching(/^P116 empty,.*the file is empty \(0 bytes\)/),
    ]);
    expect(await readPredictions(at('some.csv'))).toHaveLength(PHOTOS);
  });

  it('refuses what the run does not answer in the words of one machine, and lays no work out', async () => {
    const asked = ['predict', run, flight, '--state', 'WA', '--out'];
    const here = await sward(...asked, at('refused.csv'));
    expect(errorLine(here)).toMatch(/--state: .* applies no rule that needs the State/);
    for (const out of [at('refused.csv'), `${at('refused')}/`]) {
      const there = await sward(...asked, out, ...ELSEWHERE);
      expect(there).toMatchObject({ code: 2, stderr: here.stderr });
    }
    expect(readdirSync(root).filter((name) => /refused.*work/.test(name))).toEqual([]);
  });

  it('finds the photo that ends whatever reads it, and predicts the others as ever', async () => {
    const [good, bad] = [at('good'), at('bad')];
    cpSync(flight, good, { recursive: true, filter: (name) => !/broken|empty/.test(name) });
    cpSync(good, bad, { recursive: true });
    await writePhoto(join(bad, 'P110 poison.jpg'), 5, 1);
    const here = await sward('predict', run, good, '--out', at('good.csv'));
    expect(here.code, here.stderr).toBe(0);
    const hook = pathToFileURL(join(import.meta.dirname, '..', 'support', 'poison.mjs')).href;
    const there = await runSward(
      ['predict', run, bad, '--out', at('bad.csv'), ...ELSEWHERE],
      { ...variables, NODE_OPTIONS: `--import ${hook}` },
      root,
    );
    expect(there.code, there.stderr).toBe(0);
    expect(text('bad.csv')).toBe(text('good.csv'));
    expect(text('bad.problems.csv')).toMatch(
      /^image_id,photo,problem\nP110 poison,.*P110 poison\.jpg,.*ends the process that reads it.*\n$/,
    );
  });

  it('reads photos of a bucket by prefix or table, and writes parts and a summary there', async () => {
    await stored('flight');
    const out = 's3://meadow/results/one/';
    const there = await sward(
      ...['predict', run, 's3://meadow/flight/', '--out', out, '--coverage', '0.8', '--json', ...ELSEWHERE],
    );
    expect(there.code, there.stderr).toBe(0);
    const summary = JSON.parse(there.stdout);
    expect(summary).toMatchObject({ photos: PHOTOS, problems: 2, parts: [{ photos: PHOTOS }] });
    const { openStore } = await import('../../src/storage/index.ts');
    const results = openStore('s3://meadow/results/one');
    const read = async (name: string): Promise<string> =>
      Buffer.from((await results.read(name)) ?? []).toString();
    expect(JSON.parse(await read('summary.json'))).toEqual({ ...summary, out: undefined });
    expect((await read('problems.csv')).split('\n')[1]).toMatch(
      /^P110 broken,s3:\/\/meadow\/flight\/P110 broken\.jpg,/,
    );
    const here = await sward(
      'predict',
      run,
      flight,
      '--out',
      at('plain.csv'),
      '--coverage',
      '0.8',
      '--skip-unusable',
    );
    expect(here.code).toBe(0);
    expect(await read('part-00000.csv')).toBe(text('plain.csv'));
    expect(await results.facts('unfinished.json')).toBeNull();
    const otherwise = await sward('predict', run, 's3://meadow/flight/', '--out', out, ...ELSEWHERE);
    expect(errorLine(otherwise)).toMatch(/holds a finished prediction; choose another --out/);
    const same = ['predict', run, 's3://meadow/flight/', '--out', out, '--coverage', '0.8'];
    const again = await sward(...same, '--json', ...ELSEWHERE);
    expect(again).toMatchObject({ code: 0, stdout: there.stdout });
    expect(again.stderr).toMatch(
      /^s3:\S+one\/ holds this very prediction, finished; to compute it anew, remove/m,
    );
    const planned = await sward('plan', '--to', 'slurm', '--out', at('p'), '--', ...same, '--chunk', '16');
    expect(planned, planned.stderr).toMatchObject({ code: 0, stdout: '' });
    expect(existsSync(at('p'))).toBe(false);
    const other = openStore('s3://meadow/results/other');
    await other.put('unfinished.json', 'of another');
    await other.put('part-00000.csv', 'of another');
    const second = await sward(
      ...['predict', run, 's3://meadow/flight/', '--out', 's3://meadow/results/other/', ...ELSEWHERE],
    );
    expect(second.code).toBe(2);
    expect(errorLine(second)).toMatch(/holds parts of another prediction, which is not finished/);
    expect(await other.facts('part-00000.csv')).not.toBeNull();
    expect(readdirSync(root).filter((name) => /other.*work/.test(name))).toEqual([]);
    const names = readdirSync(flight).filter((name) => !/broken|empty/.test(name));
    writeFileSync(
      at('manifest.csv'),
      `photo,image_id\n${names.map((name) => `s3://meadow/flight/${name},${name.replace('.jpg', '')}\n`).join('')}` +
        's3://meadow/flight/gone.jpg,gone\n',
    );
    const listed = await sward(
      'predict',
      run,
      at('manifest.csv'),
      '--out',
      at('listed.csv'),
      '--coverage',
      '0.8',
      ...ELSEWHERE,
    );
    expect(listed.code, listed.stderr).toBe(0);
    expect(text('listed.csv')).toBe(text('plain.csv'));
    expect(text('listed.problems.csv')).toMatch(
      /gone,s3:\/\/meadow\/flight\/gone\.jpg,there is no such object/,
    );
  });

  it('writes Parquet that says what the table says, with the work itself in the bucket', async () => {
    const good = at('good');
    await stored('parquet-flight');
    const there = await sward(
      ...['predict', run, 's3://meadow/parquet-flight/', '--out', `${at('parquet')}/`, '--parts', 'parquet'],
      ...['--store', 's3://meadow/work', '--coverage', '0.8', ...ELSEWHERE],
    );
    expect(there.code, there.stderr).toBe(0);
    const bytes = readFileSync(join(at('parquet'), 'part-00000.parquet'));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file });
    expect((await sward('predict', run, good, '--out', at('table.csv'))).code).toBe(0);
    const masses = await readPredictions(at('table.csv'));
    expect(rows.map((row) => [row.image_id, row.Dry_Total_g, row.Dry_Clover_g])).toEqual(
      masses.map(({ imageId, targets }) => [imageId, targets.total, targets.clover]),
    );
    expect(rows.every((row) => row.Dry_Total_g_low <= row.Dry_Total_g && row.photo.endsWith('.jpg'))).toBe(
      true,
    );
    const { openStore } = await import('../../src/storage/index.ts');
    for await (const { key } of openStore('s3://meadow/work').list(''))
      expect(key).toBe('nothing is left there');
  });

  it('trains from a bucket what lies on the planning machine alone, to the same run', async () => {
    const options = ['--recipe', 'photo-ridge', '--folds', '3', '--out'];
    const here = await sward('train', data, ...options, at('trained-here'));
    expect(here.code, here.stderr).toBe(0);
    const there = await sward(
      ...['train', data, ...options, at('trained-there'), '--on', 'local', '--store', 's3://meadow/training'],
    );
    expect(there.code, there.stderr).toBe(0);
    expect(objects.requests.some((line) => /^GET .*\/training\/.*objects/.test(line))).toBe(true);
    expect(runContents(at('trained-there'))).toEqual(runContents(at('trained-here')));
  });

  it('sends weights of a file, and the run of them, to machines that meet at a bucket', async () => {
    await stored('sent');
    const planned = async (name: string, ...command: string[]): Promise<void> => {
      const plan = await sward(
        ...['plan', '--to', 'kubernetes', '--out', at(`plan-${name}`), '--json', '--', ...command],
        ...['--store', 's3://meadow/sent-work'],
      );
      expect(plan.code, plan.stderr).toBe(0);
      const { store, job } = JSON.parse(plan.stdout);
      // Another machine: none of the files lies where they were named.
      const own = [data, model, at('mapping'), at('mapping.safetensors')].filter((path) => existsSync(path));
      for (const path of own) renameSync(path, `${path}.away`);
      const unit = await runSward(
        ['unit', `${store}/${job}/list.json`],
        { ...variables, SWARD_CACHE: at('other-cache') },
        at('s3'),
      );
      for (const path of own) renameSync(`${path}.away`, path);
      expect(unit.code, unit.stderr).toBe(0);
      const gathered = await sward('gather', at(`plan-${name}`));
      expect(gathered.code, gathered.stderr).toBe(0);
    };
    await planned('training', ...tinyTraining(at('tiny-there')));
    expect(runContents(at('tiny-there'))).toEqual(runContents(tiny));

    await trainMappingRun(data, root, sharedCache());
    const here = await sward('predict', at('mapping'), at('good'), '--out', at('mapped-here.csv'));
    expect(here.code, here.stderr).toBe(0);
    const there = at('mapped-there.csv');
    await planned('predicting', 'predict', at('mapping'), 's3://meadow/sent/', '--out', there);
    expect(text('mapped-there.csv')).toBe(text('mapped-here.csv'));
  });

  it('draws maps and crops, and what dropout leaves out, that one machine draws', async () => {
    // Two units: a photo more than the first takes. Low ones, as a map is drawn of a width of its own.
    const few = at('few');
    mkdirSync(few);
    for (let photo = 100; photo < 117; photo++)
      await sharp(join(flight, `P${photo}.jpg`))
        .extract({ left: 0, top: 0, width: 64, height: 8 })
        .toFile(join(few, `P${photo}.jpg`));
    const asked = (name: string): string[] => [
      ...['predict', at('mapping'), few, '--out', at(`${name}.csv`), '--map', at(`${name}-maps`)],
      ...['--crop', 'auto', '--show-crop', at(`${name}-crops`)],
    ];
    const here = await sward(...asked('drawn-here'));
    expect(here.code, here.stderr).toBe(0);
    const there = await sward(...asked('drawn-there'), ...ELSEWHERE);
    expect(there.code, there.stderr).toBe(0);
    expect(text('drawn-there.csv')).toBe(text('drawn-here.csv'));
    for (const kind of ['maps', 'crops']) {
      const names = readdirSync(at(`drawn-here-${kind}`));
      expect(readdirSync(at(`drawn-there-${kind}`))).toEqual(names);
      expect(names.length).toBeGreaterThanOrEqual(17);
      for (const name of names) {
        const [one, other] = ['here', 'there'].map((where) =>
          readFileSync(join(at(`drawn-${where}-${kind}`), name)),
        );
        expect(other?.equals(one as Buffer), name).toBe(true);
      }
    }
    const dropout = ['--mc-dropout', '3', '--out'];
    const refused = await sward('predict', run, few, ...dropout, at('no.csv'), ...ELSEWHERE);
    expect(errorLine(refused)).toMatch(/--mc-dropout: the run has a recipe without dropout/);
    const settings = [`backbone=${model}`, 'estimator.epochs=20', 'estimator.members=2'];
    const trained = await sward(
      ...['train', data, '--recipe', 'feature-mlp', '--folds', '2', '--out', at('dropping')],
      ...settings.flatMap((setting) => ['--set', setting]),
    );
    expect(trained.code, trained.stderr).toBe(0);
    const drops = (name: string, ...more: string[]) =>
      sward('predict', at('dropping'), few, ...dropout, at(name), ...more);
    expect((await drops('drops-here.csv')).code).toBe(0);
    const elsewhere = await drops('drops-there.csv', ...ELSEWHERE);
    expect(elsewhere.code, elsewhere.stderr).toBe(0);
    expect(text('drops-here.csv').split('\n', 1)[0]).toContain('dropout_spread');
    expect(text('drops-there.csv')).toBe(text('drops-here.csv'));
  });

  it('asks a run of a bucket, and counts a photo that comes twice once, as one machine does', async () => {
    const twice = at('twice');
    cpSync(at('good'), twice, { recursive: true });
    cpSync(join(twice, 'P101.jpg'), join(twice, 'P139 again.jpg'));
    const { openStore } = await import('../../src/storage/index.ts');
    const photos = openStore('s3://meadow/twice');
    await storedFolder(run, 's3://meadow/runs/ridge');
    for (const name of readdirSync(twice)) await photos.put(name, readFileSync(join(twice, name)));
    const area = ['--area', '1'];
    const frame = /note: the run was taught grams on 0\.21 m²; they are said on 1 m²/;
    const here = await sward('predict', run, twice, '--out', at('twice-here.csv'), '--json', ...area);
    expect(here.stderr).toMatch(/P139 again is the same photo as P101; the two count once in the mean/);
    const asked = ['s3://meadow/runs/ridge', 's3://meadow/twice/', ...area, ...ELSEWHERE];
    const there = await sward('predict', ...asked, '--out', at('twice-there.csv'), '--json');
    expect(there.code, there.stderr).toBe(0);
    expect(there.stderr).toMatch(/P139 again is the same photo as P101; the two count once in the mean/);
    expect(text('twice-there.csv')).toBe(text('twice-here.csv'));
    for (const { stderr } of [here, there]) expect(stderr).toMatch(frame);
    const { paddock } = JSON.parse(here.stdout);
    expect(JSON.parse(there.stdout).paddock).toEqual(paddock);
    const parts = await sward('predict', ...asked, '--out', `${at('twice-parts')}/`, '--json');
    expect(parts.code, parts.stderr).toBe(0);
    expect(parts.stderr).toMatch(frame);
    expect(parts.stderr).toMatch(/P139 again is the same photo as P101; the two count once in the mean/);
    const summary = JSON.parse(parts.stdout);
    expect(summary).toMatchObject({ photos: PHOTOS + 1, copies: 1 });
    expect(summary.grams.Dry_Total_g).toBeCloseTo(paddock.grams?.Dry_Total_g ?? Number.NaN, 6);
    const alone = await sward('predict', 's3://meadow/runs/ridge', join(twice, 'P101.jpg'), '--json');
    expect(alone.code, alone.stderr).toBe(0);
    const nothing = await sward('predict', 's3://meadow/runs/', at('good'), '--out', at('n.csv'));
    expect(errorLine(nothing)).toMatch(/s3:\/\/meadow\/runs\/ .*--on local/);
  });

  it('asks an ensemble of a bucket, whose members lie there too, and makes one of runs there', async () => {
    const [few, ensemble, stacked] = [at('some'), at('ensemble'), at('stored-ensemble')];
    mkdirSync(few, { recursive: true });
    for (const name of ['P100.jpg', 'P101.jpg']) cpSync(join(flight, name), join(few, name));
    const combined = async (out: string, ...members: string[]): Promise<void> => {
      const { code, stderr } = await sward('ensemble', ...members, '--out', out, '--method', 'mean');
      expect(code, stderr).toBe(0);
    };
    const predicted = async (name: string, ...asked: string[]): Promise<string> => {
      const { code, stderr } = await sward('predict', ...asked, '--out', at(name));
      expect(code, stderr).toBe(0);
      return text(name);
    };
    await storedFolder(run, 's3://meadow/runs/run');
    await combined(ensemble, run);
    await storedFolder(ensemble, 's3://meadow/runs/ensemble');
    const here = await predicted('ensemble-here.csv', ensemble, few);
    expect(await predicted('ensemble-there.csv', 's3://meadow/runs/ensemble', few, ...ELSEWHERE)).toBe(here);
    await combined(stacked, 's3://meadow/runs/run');
    expect(JSON.parse(text('stored-ensemble/run.json')).members[0].run).toBe('s3://meadow/runs/run');
    const { openRun } = await import('../../src/runs/open-run.ts');
    const { openStore } = await import('../../src/storage/index.ts');
    await using known = await openRun(stacked);
    expect(await known.capabilities()).toMatchObject({ predictsFrom: 'photos' });
    await openStore('s3://meadow/runs/run').remove('run.json');
    await using lost = await openRun('s3://meadow/runs/ensemble');
    await expect(lost.capabilities()).rejects.toThrow(
      's3://meadow/runs/run: is a member of s3://meadow/runs/ensemble and is not there any more',
    );
  });

  it('is gathered as it was planned, whatever the folder of the photos holds by then', async () => {
    const [changing, spare] = [at('changing'), at('spare.jpg')];
    cpSync(at('good'), changing, { recursive: true });
    const gathered = async (...command: string[]) => {
      const planned = await sward(
        ...[
          'plan',
          '--to',
          'slurm',
          '--out',
          at('plan-changing'),
          '--json',
          '--',
          ...command,
          '--chunk',
          '16',
        ],
      );
      expect(planned.code, planned.stderr).toBe(0);
      const { store, job, units } = JSON.parse(planned.stdout);
      expect(units).toBe(2);
      expect((await sward('unit', join(store, job, 'list.json'))).code).toBe(0);
      renameSync(join(changing, 'P101.jpg'), spare);
      cpSync(join(changing, 'P102.jpg'), join(changing, 'P099.jpg'));
      utimesSync(join(changing, 'P103.jpg'), 1, 1);
      const result = await sward('gather', at('plan-changing'));
      renameSync(spare, join(changing, 'P101.jpg'));
      rmSync(join(changing, 'P099.jpg'));
      expect(result.code, result.stderr).toBe(0);
      expect(existsSync(store)).toBe(false);
      return result.stderr;
    };
    const told = await gathered('predict', run, changing, '--out', at('changing.csv'));
    expect(told).toContain(
      'warning: not as they were planned: P101.jpg (gone), P103.jpg (changed); the result tells what the units read',
    );
    expect(text('changing.csv')).toBe(text('good.csv'));
    const to = (name: string): string[] => ['--out', at(`${name}.npy`), '--ids', at(`${name}.txt`)];
    const of = ['--backbone', model];
    expect((await sward('features', changing, ...of, ...to('unchanged'))).code).toBe(0);
    expect(await gathered('features', changing, ...of, ...to('changing'))).toMatch(/P101\.jpg \(gone\)/);
    expect(readFileSync(at('changing.npy')).equals(readFileSync(at('unchanged.npy')))).toBe(true);
    expect(text('changing.txt')).toBe(text('unchanged.txt'));
  });

  it('is refused by a machine with another version, and by one that sees no folder of the photos', async () => {
    const planned = await sward(
      ...['plan', '--to', 'slurm', '--out', at('plan-other'), '--json', '--', 'predict', run, at('good')],
      ...['--out', at('other.csv')],
    );
    expect(planned.code, planned.stderr).toBe(0);
    const { store, job } = JSON.parse(planned.stdout);
    const specs = join(store, job, 'specs');
    const spec = join(specs, readdirSync(specs)[0] ?? '');
    const content = readFileSync(spec, 'utf8');
    writeFileSync(spec, content.replace(/"sward":"[^"]*"/, '"sward":"9.9.9"'));
    expect(errorLine(await sward('unit', spec))).toMatch(
      /the work was planned by sward 9\.9\.9, and this machine has \d.*; install the same on all/,
    );
    writeFileSync(spec, content.replaceAll(at('good'), '/not-mounted/good'));
    expect(errorLine(await sward('unit', spec))).toMatch(
      /this machine sees no \/not-mounted\/good, where photos lie; mount it there/,
    );
  });

  it('refuses what machines that meet at a bucket do not see', async () => {
    const there = await sward(
      ...['predict', run, flight, '--out', at('x.csv'), '--store', 's3://meadow/work', ...ELSEWHERE],
    );
    expect(there.code).toBe(2);
    expect(errorLine(there)).toMatch(/lies on this machine, which others do not see/);
  });

  it('says soon that nothing listens where the bucket should be', async () => {
    const nowhere = await runSward(
      ['predict', run, 's3://meadow/flight/', '--out', at('nowhere.csv'), ...ELSEWHERE],
      { ...variables, AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}` },
      root,
    );
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(
      /^error: http:\S+:\d+: no store answers there \(.*ECONNREFUSED.*\); check AWS_END/,
    );
  });

  it('refuses a bucket that writes over what is there', async () => {
    const careless = await startObjectStore(at('careless'), 'meadow', false);
    const there = await runSward(
      ['train', data, '--out', at('careless-run'), '--on', 'local', '--store', 's3://meadow/work'],
      { ...variables, ...careless.variables },
      root,
    );
    await careless.end();
    expect(there.code).toBe(2);
    expect(errorLine(there)).toMatch(
      /s3:\/\/meadow\/work: the store writes over what is there.*If-None-Match: \*/,
    );
    expect(existsSync(at('careless-run'))).toBe(false);
  });
});

describe('features on many machines', () => {
  it('are the very files that one machine writes', async () => {
    const good = at('good');
    const to = (name: string): string[] => ['--out', at(`${name}.npy`), '--ids', at(`${name}.txt`)];
    const here = await sward('features', good, '--backbone', model, ...to('f'));
    expect(here.code, here.stderr).toBe(0);
    const there = await sward('features', flight, '--backbone', model, ...to('g'), ...ELSEWHERE);
    expect(there.code, there.stderr).toBe(0);
    expect(readFileSync(at('g.npy')).equals(readFileSync(at('f.npy')))).toBe(true);
    expect(text('g.txt')).toBe(text('f.txt'));
    expect(text('g.problems.csv').split('\n')).toHaveLength(4);
  });

  it('of a bucket with weights of a bucket are the same', async () => {
    await stored('features');
    const to = ['--out', at('h.npy'), '--ids', at('h.txt')];
    const there = await sward(
      ...['features', 's3://meadow/features/', '--backbone', 's3://meadow/features/model.safetensors', ...to],
      ...['--store', 's3://meadow/work', ...ELSEWHERE],
    );
    expect(there.code, there.stderr).toBe(0);
    expect(readFileSync(at('h.npy')).equals(readFileSync(at('f.npy')))).toBe(true);
    expect(text('h.txt')).toBe(text('f.txt'));
    const { openStore } = await import('../../src/storage/index.ts');
    const { fetchedBackbone } = await import('../../src/cluster/units/inputs.ts');
    const described = openStore('s3://meadow/described');
    const beside = ['config.json', 'model.json', 'preprocessor_config.json', 'sward.json'];
    for (const name of ['model.safetensors', 'report.json', ...beside]) await described.put(name, name);
    const path = await fetchedBackbone('s3://meadow/described/model.safetensors');
    expect(readdirSync(dirname(path)).sort()).toEqual([...beside, 'model.safetensors'].sort());
    await described.remove('sward.json');
    // A folder of weights, in another state.
    const later = await fetchedBackbone('s3://meadow/described/');
    expect(basename(later)).toBe('model.safetensors');
    expect(readdirSync(dirname(later))).not.toContain('sward.json');
  });

  it('are predicted by rows, of which each unit reads its own', async () => {
    // Labels for the flight, from what a run says of it.
    const rows = text('table.csv')
      .split('\n')
      .slice(1)
      .filter(Boolean)
      .map((row) => row.split(','));
    const labels = [
      'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target',
      ...rows.map(([id = '', mass]) => {
        const [photo = '', target] = id.split('__');
        const day = 1 + (Number(photo.slice(1)) % 6);
        return `${id},train/${photo}.jpg,2015/${day}/4,Vic,Clover,0.5,${4 + (Number(photo.slice(1)) % 7)},${target},${mass}`;
      }),
    ];
    writeFileSync(at('labels.csv'), `${labels.join('\n')}\n`);
    const of = ['--features', at('f.npy'), '--ids', at('f.txt')];
    const trained = await sward(
      'train',
      ...of,
      '--labels',
      at('labels.csv'),
      '--recipe',
      'feature-ridge',
      '--out',
      at('rows'),
    );
    expect(trained.code, trained.stderr).toBe(0);
    const here = await sward('predict', at('rows'), ...of, '--out', at('rows-here.csv'));
    const there = await sward('predict', at('rows'), ...of, '--out', at('rows-there.csv'), ...ELSEWHERE);
    expect(here.code, here.stderr).toBe(0);
    expect(there.code, there.stderr).toBe(0);
    expect(text('rows-there.csv')).toBe(text('rows-here.csv'));
    const reading = await sward(
      ...['train', ...of, '--labels', at('labels.csv'), '--recipe', 'feature-mlp', '--with', 'height'],
      ...['--set', 'estimator.epochs=15', '--set', 'estimator.members=2', '--folds', '2'],
      ...['--set', 'evaluation.leaveOneStateOut=false', '--out', at('reading')],
    );
    expect(reading.code, reading.stderr).toBe(0);
    // Units begin in the midst of those with a height and of those without.
    const heights = text('f.txt')
      .trimEnd()
      .split('\n')
      .map((id, row) => `${id},${row % 3 === 0 ? '' : 5 + (row % 9)}`);
    writeFileSync(at('heights.csv'), `image_id,height\n${heights.join('\n')}\n`);
    const drops = async (name: string, ...more: string[]): Promise<string> => {
      const asked = ['--covariates', at('heights.csv'), '--mc-dropout', '3', '--out', at(name), ...more];
      const { code, stderr } = await sward('predict', at('reading'), ...of, ...asked);
      expect(code, stderr).toBe(0);
      return text(name);
    };
    const alone = await drops('reading-here.csv');
    expect(alone).toMatch(/,height\n/);
    expect(await drops('reading-there.csv', ...ELSEWHERE)).toBe(alone);
  });
});
