import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportRun } from '../../../src/export/export-run.ts';
import { configure } from '../../../src/ground/environment.ts';
import { InputError, UsageError } from '../../../src/ground/errors.ts';
import { parseChange } from '../../../src/ground/setting-change.ts';
import { importTarget, openNetworkCheckpoint, writeImported } from '../../../src/recipes/imported-network.ts';
import { readTrainedManifest } from '../../../src/runs/manifest.ts';
import { loadTensors, openSafetensors, readTensorAsFloat32 } from '../../../src/tensor/index.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { findPhotos } from '../../../src/vision/photos/index.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { type ImportedRun, type ImportOptions, importRun } from '../../../src/workflows/train/import-run.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { Mapping } from '../../formats/torch-checkpoint/pickle-writer.ts';
import { floats, saveStateDict, type TensorToSave } from '../../formats/torch-checkpoint/torch-writer.ts';
import { predictPhotos } from '../../support/ask-run.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../../vision/backbones/tiny.ts';

const root = temporaryFolder('import-run');
const data = join(root, 'data');
const model = join(root, 'model.safetensors');
const source = { kind: 'folder', folder: data } as const;

const SMALL = ['input.size=28', 'estimator.architecture.hidden=8'];
const QUICK = ['estimator.epochs=1', 'estimator.batch=4', 'estimator.optimizer.rate=0.01'];

type Tensors = Record<string, TensorToSave>;

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(data, { photos: 12 });
  const config = { dim: 16, depth: 2, heads: 2, imgSize: [28, 28] };
  await writeWeights(model, noisyWeights(makeBackbone('dinov2', config)));
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
});

/** Trains with sward, to have weights whose predictions are known. */
async function trained(name: string, recipe: string, changes: readonly string[]): Promise<string> {
  const out = join(root, name);
  const resolved = await resolveRecipe(recipe, [
    `backbone=${model}`,
    ...QUICK,
    ...changes,
    'evaluation.leaveOneStateOut=false',
  ]);
  await trainRun({ source, recipe: resolved, out, plan: { folds: 2, seed: 3 } });
  return out;
}

/** Tensors of a fold's model as a PyTorch module would name them. */
async function tensorsOf(run: string, fold: number): Promise<Tensors> {
  const tensors: Tensors = {};
  for (const [file, prefix] of [
    ['network-0.safetensors', ''],
    ['backbone.safetensors', 'backbone.'],
  ] as const) {
    const path = join(run, `fold-${fold}`, file);
    if (!existsSync(path)) continue;
    const opened = await openSafetensors(path);
    for (const { name, shape } of opened.tensors.values()) {
      tensors[`${prefix}${name}`] = floats(await readTensorAsFloat32(opened, name), shape);
    }
  }
  return tensors;
}

type Wrap = Parameters<typeof saveStateDict>[2];

/** Saves both folds of a run as `torch.save` would, changed as a test wants them. */
async function saved(
  run: string,
  name: string,
  change: (tensors: Tensors, fold: number) => Tensors = (tensors) => tensors,
  wrap?: Wrap,
): Promise<string[]> {
  const paths: string[] = [];
  for (const fold of [0, 1]) {
    const path = join(root, name, `fold${fold}.pth`);
    paths.push(saveStateDict(path, change(await tensorsOf(run, fold), fold), wrap));
  }
  return paths;
}

const imported = (
  run: string,
  name: string,
  checkpoints: readonly string[],
  more: Partial<ImportOptions> = {},
): Promise<ImportedRun> =>
  importRun({
    checkpoints,
    recipe: 'seed2',
    settings: SMALL.map(parseChange),
    backbone: model,
    data,
    plan: { folds: join(run, 'folds.csv') },
    out: join(root, name),
    ...more,
  });

const oof = (run: string): string => readFileSync(join(run, 'oof.csv'), 'utf8');

async function expectSamePredictions(a: string, b: string): Promise<void> {
  const photos = await findPhotos([join(data, 'test')]);
  expect(await predictPhotos(a, photos, {})).toEqual(await predictPhotos(b, photos, {}));
}

describe('fold checkpoints of seed 2', () => {
  let run: string;
  beforeAll(async () => {
    run = await trained('run', 'seed2', SMALL);
  });

  it('become a run that predicts as the network they were saved from', async () => {
    const checkpoints = await saved(run, 'plain');
    const { results, ownBackbones } = await imported(run, 'imported', checkpoints);
    const out = join(root, 'imported');
    expect(ownBackbones).toBe(true);
    expect(oof(out)).toBe(oof(run));
    expect(readFileSync(join(out, 'folds.csv'), 'utf8')).toBe(readFileSync(join(run, 'folds.csv'), 'utf8'));
    expect(results.perFold).toHaveLength(2);
    await expectSamePredictions(out, run);
    const manifest = await readTrainedManifest(out);
    expect(manifest).toMatchObject({
      status: 'complete',
      folds: { count: 2, origin: 'given' },
      imported: [{ file: 'fold0.pth' }, { file: 'fold1.pth' }],
      recipe: { name: 'seed2', estimator: { fineTune: { mode: 'full' } } },
    });
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('fold1.pth (SHA-256 ');
    // The same command again finds it done.
    expect((await imported(run, 'imported', checkpoints)).results.outOfFold).toEqual(results.outOfFold);
  });

  it('can be exported and ensembled', async () => {
    const out = join(root, 'export');
    const { files } = await exportRun({ run: join(root, 'imported'), out });
    expect(files.length).toBeGreaterThan(0);
    const members = [join(root, 'imported'), run];
    await makeEnsemble({ runs: members, out: join(root, 'ensemble'), method: 'mean' });
    expect(oof(join(root, 'ensemble')).split('\n')).toHaveLength(oof(run).split('\n').length);
  });

  it('go on where an import was interrupted', async () => {
    const out = join(root, 'imported');
    const manifest = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as object;
    writeFileSync(join(out, 'run.json'), JSON.stringify({ ...manifest, status: 'incomplete' }));
    rmSync(join(out, 'fold-1'), { recursive: true });
    await imported(run, 'imported', await saved(run, 'again'));
    expect(oof(out)).toBe(oof(run));
    expect((await readTrainedManifest(out)).status).toBe('complete');
  });

  it.each<readonly [string, (name: string) => string, Wrap]>([
    ['as they are', (name) => name, undefined],
    ['DataParallel', (name) => `module.${name}`, undefined],
    [
      'Lightning and torch.compile',
      (name) => `model._orig_mod.${name}`,
      (stateDict) =>
        Mapping.of({ epoch: 3, state_dict: stateDict, optimizer_states: [Mapping.of({ lr: 1e-4 })] }),
    ],
    [
      'compiled and checkpointed parts',
      (name) =>
        `model.${name.replace(/^(backbone\.blocks\.\d+)\./, '$1._checkpoint_wrapped_module._orig_mod.')}`,
      undefined,
    ],
    ['the averaged copy', (name) => `ema_model.module.${name}`, undefined],
    ['another name of the backbone', (name) => name.replace(/^backbone\./, 'encoder.vit.'), undefined],
  ])('become the same files of a fold however they are wrapped: %s', async (title, rename, wrap) => {
    const renamed = (tensors: Tensors): Tensors => ({
      ...Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor])),
      [rename('backbone.head.weight')]: floats([1, 2], [1, 2]),
    });
    const checkpoints = await saved(run, `wrapped ${title}`, renamed, wrap);
    const target = await importTarget((await readTrainedManifest(run)).recipe);
    for (const [fold, path] of checkpoints.entries()) {
      const folder = join(root, `wrapped ${title}`, `fold-${fold}`);
      mkdirSync(folder);
      await writeImported(target, await openNetworkCheckpoint(path), folder);
      for (const file of ['network-0.safetensors', 'backbone.safetensors']) {
        const [own, other] = [join(folder, file), join(run, `fold-${fold}`, file)];
        const values = async (from: string): Promise<unknown> => (await loadTensors(from)).tensors;
        expect(await values(own), file).toEqual(await values(other));
      }
    }
  });

  it('are taken from safetensors, and without what training kept beside them', async () => {
    const paths: string[] = [];
    for (const fold of [0, 1]) {
      const path = join(root, `fold${fold}.safetensors`);
      const tensors = Object.entries(await tensorsOf(run, fold)).flatMap(([name, { shape, storage }]) => {
        const values = new Float32Array(storage.bytes.buffer);
        const averaged = name.replace(/^backbone\./, '$&_orig_mod.');
        return [
          [`ema_model.module.${averaged}`, { dtype: 'float32', shape, values }],
          [`model.${name}`, { dtype: 'float32', shape, values: new Float32Array(values.length) }],
        ] as const;
      });
      const one = { dtype: 'float32', shape: [1], values: Float32Array.of(1) } as const;
      await writeWeights(path, {
        ...Object.fromEntries(tensors),
        'ema_model.n_averaged': one,
        'criterion.weight': one,
      });
      paths.push(path);
    }
    const out = 'from-safetensors';
    expect((await imported(run, out, paths)).ownBackbones).toBe(true);
    expect(oof(join(root, out))).toBe(oof(run));
  });

  it('are refused where there are two networks, or two backbones that nothing chooses between', async () => {
    const student = (tensors: Tensors, prefix: string): Tensors =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, { shape, storage }]) => [
          `${prefix}${name}`,
          { shape, storage: { bytes: Uint8Array.from(storage.bytes) } },
        ]),
      );
    const twins = await saved(run, 'twins', (all) => ({ ...student(all, 'a.'), ...student(all, 'b.') }));
    await expect(imported(run, 'twins-run', twins)).rejects.toThrow(
      /fold0\.pth: holds several networks \("a\.", "b\."\); save a state dict of the one that is meant/,
    );
    const twoBackbones = await saved(run, 'two-backbones', (all) => ({
      ...all,
      ...student(
        Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('backbone.'))),
        'other.',
      ),
    }));
    await expect(imported(run, 'two-backbones-run', twoBackbones)).rejects.toThrow(
      /fold0\.pth: holds several backbones \("backbone\.", "other\.backbone\."\); write the one that is meant into/,
    );
  });

  it.each<readonly [string, (tensors: Tensors) => Tensors, RegExp]>([
    [
      'missing tensors',
      ({ 'film.mlp.0.weight': _, 'backbone.norm.bias': __, ...others }) => others,
      /fold1\.pth: these are not the weights of this film-dual network: of heads 1 missing \(film\.mlp\.0\.weight\); of the backbone 1 missing \(norm\.bias\); choose the recipe/,
    ],
    [
      'superfluous tensors',
      (tensors) => ({ ...tensors, 'head_extra.0.weight': floats([1], [1]) }),
      /fold1\.pth: .*of heads 1 unexpected \(head_extra\.0\.weight\)/,
    ],
    [
      'misshapen tensors',
      (tensors) => ({ ...tensors, 'head_dead.3.weight': floats(Array(9).fill(0), [1, 9]) }),
      /fold1\.pth: .*of heads 1 misshapen \(head_dead\.3\.weight \[1, 9\] for \[1, 8\]\)/,
    ],
    [
      'no backbone',
      (tensors) =>
        Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith('backbone.'))),
      /fold1\.pth: holds heads alone, but .*fold0\.pth a backbone too; give checkpoints of one training/,
    ],
  ])('are refused with %s before anything is written', async (title, change, message) => {
    const checkpoints = await saved(run, title, (tensors, fold) => (fold === 1 ? change(tensors) : tensors));
    const outcome = imported(run, `${title} run`, checkpoints);
    await expect(outcome).rejects.toThrow(InputError);
    await expect(outcome).rejects.toThrow(message);
    expect(existsSync(join(root, `${title} run`))).toBe(false);
  });

  it('are refused where they do not fit recipe or folds', async () => {
    const [first = '', second = ''] = await saved(run, 'refused');
    const refusal = (checkpoints: readonly string[], more: Partial<ImportOptions> = {}): Promise<unknown> =>
      imported(run, 'refused-run', checkpoints, more).then(
        () => undefined,
        (reason: unknown) => reason,
      );
    const cases: [Promise<unknown>, typeof UsageError | typeof InputError, RegExp][] = [
      [refusal([first]), UsageError, /has 2 folds, but 1 checkpoints are given; give one a fold/],
      [refusal([first, first]), UsageError, /are the same; give each fold its own/],
      [
        refusal([first, second], { recipe: 'feature-ridge', settings: [] }),
        UsageError,
        /recipe feature-ridge is no network; checkpoints are imported into those, such/,
      ],
      [
        refusal([first, second], { recipe: 'film-dual' }),
        InputError,
        /missing \(standardise\.parts\.mean, .*set estimator\.standardise=false and estimator\.unit=gram/,
      ],
      [
        refusal([first, second], { settings: [] }),
        InputError,
        /head_green\.0\.weight \[8, 32\] for \[256, 32\]/,
      ],
      [refusal([first, join(root, 'none.pth')]), InputError, /none\.pth: there is no such file/],
    ];
    for (const [outcome, kind, message] of cases) {
      const error = await outcome;
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(message);
    }
    expect(existsSync(join(root, 'refused-run'))).toBe(false);
  });

  it('are refused where training has gone wrong', async () => {
    const broken = (tensors: Tensors): Tensors => ({
      ...tensors,
      'head_green.3.bias': floats([Number.NaN], [1]),
    });
    await expect(imported(run, 'nan-run', await saved(run, 'nan', broken))).rejects.toThrow(
      /fold0\.pth tensor "head_green\.3\.bias": holds numbers that are not finite/,
    );
  });
});

describe('checkpoints of heads alone', () => {
  it('read the frozen backbone, and one beside it', async () => {
    const cases = [
      ['seed2', ['estimator.fineTune.mode=none', 'estimator.augmentation=none', ...SMALL]],
      ['seed1', ['input.size=28', `extra=${model}`]],
    ] as const;
    for (const [recipe, changes] of cases) {
      const run = await trained(`heads-${recipe}`, recipe, changes);
      const out = join(root, `heads-${recipe}-run`);
      const checkpoints = await saved(run, `heads-${recipe}-files`);
      const { ownBackbones, results } = await imported(run, `heads-${recipe}-run`, checkpoints, {
        recipe,
        settings: (recipe === 'seed1' ? changes : SMALL).map(parseChange),
      });
      expect(ownBackbones).toBe(false);
      expect(results.leaveOneStateOut).toBeNull();
      expect(oof(out)).toBe(oof(run));
      await expectSamePredictions(out, run);
    }
  });
});
