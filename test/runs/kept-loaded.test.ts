import { createHash } from 'node:crypto';
import { copyFileSync, createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { SwardError } from '../../src/ground/errors.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { photoSamples } from '../../src/samples/samples.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { photoFrom } from '../../src/vision/photos/index.ts';
import { makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { predictPhotos } from '../support/ask-run.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  return { ...actual, createHash: vi.fn(actual.createHash) };
});

const root = temporaryFolder('kept-loaded');
const data = join(root, 'data');
const photo = (index: number): string => join(root, `p${index}.jpg`);
const file = (index: number) => ({ imageId: `p${index}`, path: photo(index) });
const RUNS = { frozen: join(root, 'frozen'), trained: join(root, 'trained'), ensemble: join(root, 'both') };
/** SHA-256 computations of each photo file in the first training. */
const hashed = new Map<string, number>();

beforeAll(async () => {
  configure({ cacheFolder: join(root, 'cache') });
  const ids = await writeSmallFolder(data, { photos: 12 });
  for (let index = 0; index < 6; index++) await writePhoto(photo(index), 10 + 9 * index, 50 + index);
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(join(root, 'model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
  const train = async (recipe: string, out: string, changes: readonly string[]): Promise<void> => {
    const settings = [`backbone=${join(root, 'model.safetensors')}`, 'input.size=28', ...changes];
    await trainRun({ source: data, recipe: await resolveRecipe(recipe, settings), out, plan: { folds: 2 } });
  };
  const contents = new Map(
    ids.map((id) => [readFileSync(join(data, 'train', `${id}.jpg`)).toString('latin1'), id]),
  );
  vi.mocked(createHash).mockImplementation((...given) => {
    const hash = createActual(...given);
    const update = hash.update.bind(hash) as (bytes: string | NodeJS.ArrayBufferView) => typeof hash;
    hash.update = (bytes: string | NodeJS.ArrayBufferView) => {
      const id = typeof bytes === 'string' ? undefined : contents.get(asText(bytes));
      if (id !== undefined) hashed.set(id, (hashed.get(id) ?? 0) + 1);
      return update(bytes);
    };
    return hash;
  });
  await train('feature-ridge', RUNS.frozen, []);
  vi.mocked(createHash).mockImplementation(createActual);
  await train('seed1-two-stage', RUNS.trained, [
    ...['estimator.epochs=1', 'estimator.fineTune.headEpochs=1', 'estimator.batch=4'],
  ]);
  await makeEnsemble({ runs: [RUNS.frozen, RUNS.trained], out: RUNS.ensemble, method: 'mean' });
});

const { createHash: createActual } = await vi.importActual<typeof import('node:crypto')>('node:crypto');

const asText = (bytes: NodeJS.ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

afterEach(() => {
  vi.restoreAllMocks();
});

it('a training hashes each photo once, for its fingerprint and for all that is remembered of it', () => {
  expect(hashed.size).toBe(12);
  expect([...hashed.values()]).toEqual(Array.from({ length: 12 }, () => 1));
});

it('what cannot be asked is one clear line', async () => {
  const run = RUNS.frozen;
  const asked = [
    [{ run, source: [] }, /nothing to predict/],
    [{ run, source: [photo(0)], coverage: 90 }, /coverage 90: give a share between 0 and 1/],
    [{ run, source: [photo(0)], tta: 'flip' as 'flips' }, /tta flip: use one of none, flips, d4/],
    [{ run, source: photo(0) as unknown as string[] }, /give a list of photos/],
    [{ run, source: [join(root, 'cache')] }, /cache: there is no photo in it/],
  ] as const;
  for (const [options, message] of asked) {
    const failure = await predictRun(options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SwardError);
    expect((failure as SwardError).message).toMatch(message);
  }
  expect(() => photoSamples([file(0), file(0)])).toThrow(/two photos are called p0/);
});

it('a stream that failed before its turn, or gives no bytes, is an error of its photo', async () => {
  await using run = await openRun(RUNS.frozen);
  const failing = new Readable({ read() {} });
  const upload = photoFrom('upload', failing);
  failing.destroy(new Error('the client has gone'));
  await new Promise((settle) => setTimeout(settle, 20));
  await expect(run.predict(photoSamples([upload]))).rejects.toThrow(/^upload: .*the client has gone/);
  const text = photoFrom('text', Readable.from(['letters']) as AsyncIterable<Uint8Array>);
  await expect(run.predict(photoSamples([text]))).rejects.toThrow(/something else than bytes/);
  expect(() => photoFrom('null', null as unknown as Uint8Array)).toThrow(/give the bytes of its file/);
  const reused = readFileSync(photo(2));
  const kept = photoFrom('kept', reused);
  reused.fill(0);
  const [own] = await run.predict(photoSamples([kept]));
  expect(own?.targets).toEqual((await run.predict(photoSamples([file(2)])))[0]?.targets);
});

describe.each(Object.entries(RUNS))('an open %s run', (_, folder) => {
  it('compiles nothing for a second photo, and says of it what a run opened anew says', async () => {
    await using run = await openRun(folder);
    await run.predict(photoSamples([file(0)]));
    const sessions = vi.spyOn(InferenceSession, 'create');
    const [second] = await run.predict(photoSamples([file(1)]));
    expect(sessions).not.toHaveBeenCalled();
    configure({ cacheFolder: join(root, 'another-cache') });
    const [anew] = await predictPhotos(folder, [file(1)]);
    expect(sessions).toHaveBeenCalled();
    configure({ cacheFolder: join(root, 'cache') });
    expect(second).toEqual(anew);
  });

  it('takes bytes and streams as it takes paths', async () => {
    await using run = await openRun(folder);
    const [path] = await run.predict(photoSamples([file(2)]));
    const bytes = photoFrom('p2', readFileSync(photo(2)));
    const stream = photoFrom('streamed', createReadStream(photo(2)));
    const { predictions } = await predictRun({ run, source: [bytes, stream, photo(3)] });
    expect(predictions.map(({ imageId }) => imageId)).toEqual(['p2', 'streamed', 'p3']);
    expect(predictions.map(({ path }) => path)).toEqual([null, null, photo(3)]);
    expect(predictions[0]).toEqual({ ...path, path: null });
    expect(predictions[1]?.targets).toEqual(path?.targets);
    await expect(predictRun({ run, source: [bytes, photo(2)] })).rejects.toThrow(/two photos are called p2/);
    const broken = photoFrom('upload', readFileSync(photo(2)).subarray(0, 500));
    await expect(predictRun({ run, source: [broken] })).rejects.toThrow(/^upload: .*cannot be decoded/);
  });

  it('sees that a file has become another photo', async () => {
    await using run = await openRun(folder);
    copyFileSync(photo(4), photo(9));
    const [before] = await run.predict(photoSamples([file(9)]));
    copyFileSync(photo(5), photo(9));
    const [after] = await run.predict(photoSamples([file(9)]));
    expect(after?.targets).not.toEqual(before?.targets);
    expect(after?.targets).toEqual((await run.predict(photoSamples([file(5)])))[0]?.targets);
  });

  it('answers several at once, and again after it was disposed of', async () => {
    const run = await openRun(folder);
    const ask = async (index: number) => (await run.predict(photoSamples([file(index)])))[0]?.targets;
    const alone = [await ask(0), await ask(1), await ask(2)];
    expect(await Promise.all([ask(0), ask(1), ask(2)])).toEqual(alone);
    await run.dispose();
    expect(await ask(1)).toEqual(alone[1]);
    await run.dispose();
  });
});
