import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { randomStream } from '../../src/ground/random.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { Mapping } from '../formats/torch-checkpoint/pickle-writer.ts';
import { floats, saveStateDict, type TensorToSave } from '../formats/torch-checkpoint/torch-writer.ts';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { writeSmallFeatures } from '../support/small-feature-files.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

const root = temporaryFolder('import-command');
const data = join(root, 'data');
const model = join(root, 'model.safetensors');
const folds = join(root, 'folds.csv');
const checkpoints = [0, 1].map((fold) => join(root, `fold${fold}.pth`));
const sward = hostSward({ SWARD_CACHE: sharedCache(), HF_HOME: join(root, 'hf') });

const COMMAND = [
  ...['import', ...checkpoints, '--recipe', 'seed2', '--backbone', model, '--data', data, '--folds', folds],
  ...['--set', 'input.size=28', '--set', 'estimator.architecture.hidden=8', '--out'],
];

const DIM = 16;
/** What seed 2's module has besides its backbone, of width 16. */
const HEADS: Readonly<Record<string, readonly number[]>> = {
  'film.mlp.0': [DIM / 2, DIM],
  'film.mlp.2': [2 * DIM, DIM / 2],
  ...Object.fromEntries(
    ['green', 'clover', 'dead'].flatMap((head) => [
      [`head_${head}.0`, [8, 2 * DIM]],
      [`head_${head}.3`, [1, 8]],
    ]),
  ),
};

/** A fold's checkpoint as that plan's training saves it, of random numbers. */
function writeCheckpoint(path: string, seed: number, backbone: Record<string, TensorToSave>): void {
  const random = randomStream(seed);
  const noise = (shape: readonly number[]): TensorToSave =>
    floats(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * random.normal()),
      shape,
    );
  const tensors: Record<string, TensorToSave> = { ...backbone };
  for (const [name, [rows = 0, columns = 0]] of Object.entries(HEADS)) {
    tensors[`${name}.weight`] = noise([rows, columns]);
    tensors[`${name}.bias`] = noise([rows]);
  }
  saveStateDict(path, tensors, (stateDict) => Mapping.of({ epoch: 12, model_state_dict: stateDict }));
}

beforeAll(async () => {
  const ids = await writeSmallFolder(data, { photos: 12 });
  const config = { dim: DIM, depth: 2, heads: 2, imgSize: [28, 28] };
  const weights = noisyWeights(makeBackbone('dinov2', config));
  await writeWeights(model, weights);
  const description = { arch: 'dinov2', config, preprocessing: { inputSize: [28, 28] } };
  writeFileSync(join(root, 'model.json'), JSON.stringify(description));
  for (const [fold, path] of checkpoints.entries()) {
    const own = Object.entries(weights).map(([name, { shape, values }]) => {
      const trained = Array.from(values as Float32Array, (value) => value * (1 + 0.1 * fold));
      return [`backbone.${name}`, floats(trained, shape)] as const;
    });
    writeCheckpoint(path, fold, Object.fromEntries(own));
  }
  writeFileSync(
    folds,
    ['image_id,fold', ...ids.map((id, index) => `${id},${(index % 6) % 2}`), ''].join('\n'),
  );
});

describe('sward import', () => {
  const run = join(root, 'run');

  it('makes a run of checkpoints that predicts and submits', async () => {
    const { code, stdout } = await sward(...COMMAND, run);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^fold 0: .*fold0\.pth \(model_state_dict\)\nfold 1: .*fold1\.pth \(model_state_dict\)\n/,
    );
    expect(stdout).toMatch(/backbones: the checkpoints' own\n.*seed2, out of fold:/);
    expect(stdout).toMatch(
      /The score is honest only if no model has seen the photos that .*folds\.csv holds/,
    );
    for (const file of ['oof.csv', 'scores.json', 'report.html', 'fold-1/backbone.safetensors']) {
      expect(existsSync(join(run, file)), file).toBe(true);
    }
    const [predicted, submitted] = [join(root, 'predicted.csv'), join(root, 'submission.csv')];
    expect((await sward('predict', run, join(data, 'test'), '--out', predicted)).code).toBe(0);
    expect((await sward('submit', run, data, '--out', submitted)).code).toBe(0);
    const total = (await readPredictions(predicted))[0]?.targets.total;
    expect(total).toBeGreaterThan(0);
    expect(readFileSync(submitted, 'utf8').split('\n')).toHaveLength(7);
  });

  it('says in one line what it cannot do', async () => {
    const broken = join(root, 'broken.pth');
    writeFileSync(broken, readFileSync(checkpoints[1] ?? '').subarray(0, -300));
    const without = (name: string): string[] => COMMAND.filter((part) => part !== name);
    const replaced = (name: string, by: string): string[] =>
      COMMAND.map((part) => (part === name ? by : part));
    const cases: [string[], number, RegExp][] = [
      [without(checkpoints[1] ?? ''), 2, /has 2 folds, but 1 checkpoints are given; give one a fold/],
      [
        replaced(checkpoints[1] ?? '', broken),
        1,
        /broken\.pth: has no directory at its end; the file is damaged/,
      ],
      [
        replaced('estimator.architecture.hidden=8', 'estimator.batch=8'),
        1,
        /head_green\.0\.weight \[8, 32\] for/,
      ],
      [replaced('seed2', 'seed9'), 2, /no recipe is called seed9/],
      [replaced(folds, join(root, 'none.csv')), 1, /none\.csv/],
    ];
    for (const [command, code, message] of cases) {
      const outcome = await sward(...command, join(root, 'bad'));
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
    }
    expect(existsSync(join(root, 'bad'))).toBe(false);
  });
});

describe('sward import of trees', () => {
  it('makes a run of models of feature files that predicts, and says what it lacks', async () => {
    const { features, ids, labels } = await writeSmallFeatures(join(root, 'features'), 20, 1);
    const source = ['--features', features[0] ?? '', '--ids', ids, '--labels', labels];
    const trained = join(root, 'trained');
    const quick = ['numIterations=4', 'minDataInLeaf=2', 'members=1'].flatMap((setting) => [
      '--set',
      `estimator.${setting}`,
    ]);
    const training = ['--recipe', 'feature-boost', '--out', trained, '--folds', '2', ...quick];
    expect((await sward('train', ...source, ...training)).code).toBe(0);
    const models = [0, 1].flatMap((fold) =>
      ['Green', 'Dead', 'Clover'].map((mass) => {
        const path = join(root, `fold${fold}_Dry_${mass}_g.txt`);
        copyFileSync(join(trained, `fold-${fold}`, `${mass.toLowerCase()}.txt`), path);
        return path;
      }),
    );
    const rest = [...source, '--recipe', 'feature-boost', '--folds', join(trained, 'folds.csv'), '--out'];
    const out = join(root, 'trees');
    const { code, stdout } = await sward('import', ...models, ...rest, out);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fold 0: .*fold0_Dry_Green_g\.txt, .*\nfold 1: .*\nfeature-boost, out of fold:/);
    const oof = (run: string): string => readFileSync(join(run, 'oof.csv'), 'utf8');
    expect(oof(out)).toBe(oof(trained));
    const few = await sward('import', ...models.slice(1), ...rest, join(root, 'bad'));
    expect(errorLine(few)).toMatch(/fold 0 has no model of Dry_Green_g; give one/);
    const networks = await sward('import', ...checkpoints, ...rest, join(root, 'bad'));
    expect(errorLine(networks)).toMatch(/networks need --backbone and --data; trees are/);
    expect(existsSync(join(root, 'bad'))).toBe(false);
  });
});
