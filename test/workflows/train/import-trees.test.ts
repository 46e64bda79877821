import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCatBoost } from '../../../src/estimators/trees/catboost-read.ts';
import { formatCatBoost } from '../../../src/estimators/trees/catboost-write.ts';
import { lightGbmPredictor } from '../../../src/estimators/trees/lightgbm-model.ts';
import { parseLightGbm } from '../../../src/estimators/trees/lightgbm-read.ts';
import { takenOutputs } from '../../../src/estimators/trees/oblivious-outputs.ts';
import { InputError, UsageError } from '../../../src/ground/errors.ts';
import { readTrainedManifest } from '../../../src/runs/manifest.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import {
  type ImportedTrees,
  type ImportTreesOptions,
  importTrees,
} from '../../../src/workflows/train/import-trees.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import {
  featureSource,
  type SmallFeatureFiles,
  writeSmallFeatures,
} from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('import-trees');
const COMPONENTS = [
  ['green', 'Dry_Green_g'],
  ['dead', 'Dry_Dead_g'],
  ['clover', 'Dry_Clover_g'],
] as const;
const OUTPUTS = COMPONENTS.map(([, name]) => name);
let files: SmallFeatureFiles;
let made = 0;

const run = (name: string): string => join(root, name);
const oof = (name: string): string => readFileSync(join(run(name), 'oof.csv'), 'utf8');

/** Trees of sward, which are stored as LightGBM's and CatBoost's own. */
async function trained(name: string, kind: 'leafwise-boost' | 'oblivious-boost'): Promise<void> {
  const length = kind === 'leafwise-boost' ? { numIterations: 6, minDataInLeaf: 2 } : { iterations: 6 };
  await trainRun({
    source: featureSource(files, 0),
    recipe: 'feature-boost',
    settings: {
      estimator: { kind, members: 1, ...length },
      evaluation: { leaveOneStateOut: false },
    },
    out: run(name),
    plan: { folds: 2, seed: 3 },
  });
}

/** Writes files with names as `nameOf` gives them, of text per fold. */
function written(texts: Readonly<Record<string, string>>): string[] {
  const folder = join(root, `models-${made++}`);
  return Object.entries(texts).map(([name, text]) => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
}

const stored = (name: string, fold: number, file: string): string =>
  readFileSync(join(run(name), `fold-${fold}`, file), 'utf8');

/** Both folds' LightGBM models under the names that Python's training gave them. */
function lightGbm(change: (text: string, target: string, fold: number) => string = (text) => text): string[] {
  const texts = [0, 1].flatMap((fold) =>
    COMPONENTS.map(([file, target]) => {
      const text = change(stored('leafwise', fold, `${file}.txt`), target, fold);
      return [`fold${fold}_${target}.txt`, text] as const;
    }),
  );
  return written(Object.fromEntries(texts));
}

const imported = (
  models: readonly string[],
  name: string,
  more: Partial<ImportTreesOptions> = {},
): Promise<ImportedTrees> =>
  importTrees({
    models,
    recipe: 'feature-boost',
    source: featureSource(files, 0),
    plan: { folds: join(run('leafwise'), 'folds.csv') },
    out: run(name),
    ...more,
  });

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'features'), 30, 2);
  await trained('leafwise', 'leafwise-boost');
  await trained('oblivious', 'oblivious-boost');
});

describe("LightGBM's models of each fold and mass", () => {
  it('become a run whose predictions are theirs, to the last bit', async () => {
    const { results, folds } = await imported(lightGbm(), 'lightgbm');
    expect(oof('lightgbm')).toBe(oof('leafwise'));
    expect(folds[1]?.files.map((path) => path.split('/').at(-1))).toEqual(
      OUTPUTS.map((target) => `fold1_${target}.txt`),
    );
    const text = stored('lightgbm', 1, 'green.txt');
    expect(text).toBe(stored('leafwise', 1, 'green.txt'));
    expect(results.perFold).toHaveLength(2);
    const manifest = await readTrainedManifest(run('lightgbm'));
    expect(manifest).toMatchObject({
      status: 'complete',
      recipe: { name: 'feature-boost', estimator: { kind: 'leafwise-boost' } },
      folds: { count: 2, origin: 'given' },
    });
    expect(manifest.imported).toHaveLength(6);
    expect(readFileSync(join(run('lightgbm'), 'report.html'), 'utf8')).toContain(
      'fold1_Dry_Dead_g.txt (SHA-256 ',
    );
    // The same command again, in another order, finds it done.
    const again = await imported([...lightGbm()].reverse(), 'lightgbm-again');
    expect(again.results.outOfFold).toEqual(results.outOfFold);
  });

  it('may lie in folders of their folds, written in LightGBM 3 and by random forests', async () => {
    const models = written(
      Object.fromEntries(
        [0, 1].flatMap((fold) =>
          COMPONENTS.map(([file, target]) => {
            const text = stored('leafwise', fold, `${file}.txt`)
              .replace('version=v4', 'version=v3')
              .replace(/^objective=/m, 'average_output\n$&');
            return [`fold_${fold}/lgb_${target.toLowerCase()}.txt`, text];
          }),
        ),
      ),
    );
    await imported(models, 'forests');
    const path = models[0] ?? '';
    const predict = lightGbmPredictor(parseLightGbm(readFileSync(path, 'utf8'), path));
    expect(predict({ rows: 1, columns: 6, data: new Float64Array(6) }).data[0]).toBeGreaterThan(0);
    expect(oof('forests')).not.toBe(oof('leafwise'));
  });

  it('can be ensembled with what was trained here', async () => {
    await makeEnsemble({ runs: [run('lightgbm'), run('oblivious')], out: run('ensemble'), method: 'mean' });
    expect(oof('ensemble').split('\n')).toHaveLength(oof('lightgbm').split('\n').length);
  });
});

describe("CatBoost's models", () => {
  const whole = (fold: number): string => stored('oblivious', fold, 'model.json');

  it('may predict all masses at once, in any order that is said', async () => {
    const inOrder = written({ 'fold0.json': whole(0), 'fold1.json': whole(1) });
    await imported(inOrder, 'catboost', { outputs: OUTPUTS });
    expect(oof('catboost')).toBe(oof('oblivious'));
    expect((await readTrainedManifest(run('catboost'))).recipe.estimator.kind).toBe('oblivious-boost');
    const turned = (fold: number): string =>
      formatCatBoost(takenOutputs(parseCatBoost(whole(fold), ''), [2, 0, 1]));
    await imported(written({ 'fold0.json': turned(0), 'fold1.json': turned(1) }), 'turned', {
      outputs: ['Dry_Clover_g', 'Dry_Green_g', 'Dry_Dead_g'],
    });
    expect(oof('turned')).toBe(oof('oblivious'));
  });

  it('may predict one mass each', async () => {
    const single = (fold: number, output: number): string =>
      formatCatBoost(takenOutputs(parseCatBoost(whole(fold), ''), [output]));
    const models = written(
      Object.fromEntries(
        [0, 1].flatMap((fold) =>
          OUTPUTS.map((target, output) => [`fold${fold}_${target}.json`, single(fold, output)]),
        ),
      ),
    );
    await imported(models, 'singles');
    expect(oof('singles')).toBe(oof('oblivious'));
  });

  it('are refused where the order of their masses is not said', async () => {
    const models = written({ 'fold0.json': whole(0), 'fold1.json': whole(1) });
    await expect(imported(models, 'unsaid')).rejects.toThrow(
      /fold0\.json predicts 3 outputs; name each, in the model's order: --outputs Dry_Green_g,Dry_Dead_g,Dry_Clover_g/,
    );
    await expect(
      imported(models, 'unsaid', { outputs: ['Dry_Green_g', 'GDM_g', 'Dry_Total_g'] }),
    ).rejects.toThrow(/--outputs has no Dry_Dead_g; it is needed/);
  });

  it.each(['Logloss', 'MultiClass', 'YetiRank', 'RMSEWithUncertainty'])(
    'are refused where they are no regression of masses: %s',
    async (loss) => {
      const spoilt = whole(1).replace('"MultiRMSE"', `"${loss}"`);
      const models = written({ 'fold0.json': whole(0), 'fold1.json': spoilt });
      await expect(imported(models, 'no-regression', { outputs: OUTPUTS })).rejects.toThrow(
        new RegExp(`fold1\\.json: has the loss ${loss}; give a regression model`),
      );
    },
  );
});

describe('trees that make no run', () => {
  it.each<readonly [string, () => readonly string[], typeof UsageError | typeof InputError, RegExp]>([
    ['a fold too few', () => lightGbm().slice(0, 3), UsageError, /no model is of fold 1, but .*folds 0 to 1/],
    [
      'a mass too few',
      () => lightGbm().slice(0, 5),
      UsageError,
      /fold 1 has no model of Dry_Clover_g; give one/,
    ],
    [
      'a fold too many',
      () => [...lightGbm(), ...written({ 'fold2_Dry_Green_g.txt': '' })],
      UsageError,
      /fold2_Dry_Green_g\.txt is of fold 2, but .* has folds 0 to 1/,
    ],
    [
      'sums, which are derived',
      () => [...lightGbm(), ...written({ 'fold0_GDM_g.txt': stored('leafwise', 0, 'green.txt') })],
      UsageError,
      /fold0_GDM_g\.txt: GDM_g is derived from green, dead and clover; leave this model out/,
    ],
    [
      'one model twice',
      () => lightGbm((text, _, fold) => (fold === 1 ? stored('leafwise', 0, 'green.txt') : text)),
      InputError,
      /fold1_Dry_\w+\.txt: is the same as .*; give each fold and mass its own/,
    ],
    ['no fold in a name', () => written({ 'Dry_Green_g.txt': '' }), UsageError, /name its fold, as fold0_/],
    ['other files', () => ['fold0.bin'], UsageError, /give LightGBM's text models/],
    [
      'both libraries',
      () => [...lightGbm(), ...written({ 'fold0.json': '{}' })],
      UsageError,
      /is of LightGBM, .* of CatBoost; import them apart/,
    ],
    ['no model at all', () => lightGbm(() => '<html>'), InputError, /is no LightGBM text model/],
    ...['binary sigmoid:1', 'multiclass num_class:3', 'lambdarank'].map(
      (objective): [string, () => readonly string[], typeof InputError, RegExp] => [
        objective,
        () => lightGbm((text) => text.replace(/^objective=.*$/m, `objective=${objective}`)),
        InputError,
        new RegExp(`fold0_Dry_Green_g\\.txt: has the objective ${objective}; give a regression model`),
      ],
    ),
    [
      'categories by their names',
      () =>
        lightGbm(
          (text) => `${text.replace(/^pandas_categorical:.*$/m, '')}\npandas_categorical:[["NSW", "Tas"]]\n`,
        ),
      InputError,
      /reads categories by their names \(\[\["NSW", "Tas"\]\]\), which features do not hold; train it on their codes/,
    ],
    [
      'columns in another order',
      () => lightGbm((text) => text.replace(/^feature_names=.*$/m, 'feature_names=f0 f1 f2 f4 f3 f5')),
      InputError,
      /was trained on "f4" as column 4, which is not what the features have there; give the features in the order/,
    ],
  ])('are refused: %s', async (_, models, kind, message) => {
    const outcome = imported(models(), 'refused');
    await expect(outcome).rejects.toThrow(kind);
    await expect(outcome).rejects.toThrow(message);
    expect(existsSync(run('refused'))).toBe(false);
  });

  it('are refused features of another width, before anything is written', async () => {
    const { features, ...others } = featureSource(files, 0);
    const wide = { ...others, features: [...features, files.features[1] ?? ''] };
    await expect(imported(lightGbm(), 'wide', { source: wide })).rejects.toThrow(
      /fold0_Dry_Green_g\.txt: reads 6 columns, but the features have 12; give the features it was trained on/,
    );
    expect(existsSync(run('wide'))).toBe(false);
  });

  it('are refused recipes of another kind', async () => {
    for (const [more, message] of [
      [{ recipe: 'feature-ridge' }, /recipe feature-ridge is not of boosted trees; those are imported into/],
      [{ settings: { reduction: { kind: 'pca', components: 2 } } }, /leave reduction and transform none/],
    ] as const) {
      await expect(imported(lightGbm(), 'refused', more as Partial<ImportTreesOptions>)).rejects.toThrow(
        message,
      );
    }
  });
});
