import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FeatureFiles, Fixtures } from './fixtures.ts';

/** Commands that run one after another in a folder of the case's own. */
export interface Case {
  readonly name: string;
  /** Cases whose runs the commands read. */
  readonly needs?: readonly string[];
  /** The case whose cache is copied, for descriptors of the small photos take longer than all else. */
  readonly warm?: string;
  readonly commands: readonly (readonly string[])[];
}

type Settings = Readonly<Record<string, string | number | boolean>>;

const set = (settings: Settings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

const NO_STATES = { 'evaluation.leaveOneStateOut': false } as const;
/** As little training as still moves every weight. */
const SHORT = { 'estimator.epochs': 2, ...NO_STATES } as const;
const MLP = { ...SHORT, 'estimator.members': 2, 'estimator.architecture.hidden': 8 } as const;
const TREES = { 'estimator.numIterations': 20, 'estimator.featureFraction': 0.4, ...NO_STATES } as const;
const OBLIVIOUS = {
  'estimator.kind': 'oblivious-boost',
  'estimator.iterations': 12,
  'estimator.rsm': 0.4,
  ...NO_STATES,
} as const;

/** The case that computes the descriptors of the small photos. */
const DESCRIBED = 'photos/descriptor-ridge';

/** Every case; `out` gives the folder of a case by its name. */
export function sameResultCases(fixtures: Fixtures, out: (name: string) => string): readonly Case[] {
  const to = new Paths(fixtures, out);
  const warm = DESCRIBED;
  return [
    ...boostThreads(to),
    ...photoCases(to),
    ...fineTuneCases(to).map((one) => ({ ...one, warm })),
    ...sampleCases(to),
    ...featureCases(to),
    ...stackCases(to),
    ...foldCases(to),
    ...ensembleCases(to).map((one) => ({ ...one, warm })),
    ...pseudoCases(to).map((one) => ({ ...one, warm })),
    ...pretrainCases(to),
    ...importCases(to).map((one) => ({ ...one, warm })),
    ...exportCases(to),
    ...backboneCases(to),
    ...toolCases(to),
    ...failures(to),
  ];
}

/** Writes commands with the folders of fixtures and cases in them. */
class Paths {
  readonly fixtures: Fixtures;
  readonly out: (name: string) => string;
  constructor(fixtures: Fixtures, out: (name: string) => string) {
    this.fixtures = fixtures;
    this.out = out;
  }

  backbone(name: string): string {
    return this.fixtures.backbones[name] as string;
  }

  file(name: string, file: string): string {
    return join(this.out(name), file);
  }

  /** The run that a case trains. */
  run(name: string): string {
    return this.file(name, 'run');
  }

  /** `train` on feature rows. */
  trainRows(
    name: string,
    recipe: string,
    settings: Settings,
    files: (files: FeatureFiles) => string = ({ dino }) => dino,
    ...more: readonly string[]
  ): string[] {
    const { train } = this.fixtures;
    return [
      ...['train', '--features', files(train), '--ids', train.ids, '--labels', train.labels],
      ...['--recipe', recipe, '--folds', '3', '--seed', '5', '--json', '--out', this.run(name)],
      ...set(settings),
      ...more,
    ];
  }

  predictRows(
    name: string,
    run: string,
    files: (files: FeatureFiles) => string = ({ dino }) => dino,
    ...more: readonly string[]
  ): string[] {
    const { predict } = this.fixtures;
    const to = more.includes('--out') ? [] : ['--out', this.file(name, 'predictions.csv')];
    return ['predict', run, '--features', files(predict), '--ids', predict.ids, '--json', ...to, ...more];
  }

  /** Training on feature rows and predicting others. */
  rows(
    name: string,
    recipe: string,
    settings: Settings,
    files: (files: FeatureFiles) => string = ({ dino }) => dino,
    ...more: readonly string[]
  ): Case {
    return {
      name,
      commands: [
        this.trainRows(name, recipe, settings, files, ...more),
        this.predictRows(name, this.run(name), files),
      ],
    };
  }

  /** `train` on the small photos. */
  trainPhotos(name: string, recipe: string, settings: Settings, ...more: readonly string[]): string[] {
    return [
      ...['train', this.fixtures.data, '--recipe', recipe, '--folds', '2', '--seed', '5', '--json'],
      ...['--out', this.run(name), ...set(settings), ...more],
    ];
  }

  predictPhotos(name: string, run: string, file: string, ...more: readonly string[]): string[] {
    const { data } = this.fixtures;
    return ['predict', run, join(data, 'test'), '--json', '--out', this.file(name, file), ...more];
  }

  /** Training on the small photos and predicting others. */
  photos(name: string, recipe: string, settings: Settings, ...more: readonly string[]): Case {
    return {
      name,
      commands: [
        this.trainPhotos(name, recipe, settings),
        this.predictPhotos(name, this.run(name), 'predictions.csv', ...more),
      ],
    };
  }

  /** A recipe file of a case, written now. */
  recipe(name: string, content: object): string {
    const path = join(dirname(this.fixtures.data), 'recipes', `${name}.json`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(content));
    return path;
  }
}

/** So many trees that they are grown on worker threads; first, for it takes longest. */
function boostThreads(to: Paths): readonly Case[] {
  const { all } = to.fixtures;
  const name = 'rows/boost-threads';
  return [
    {
      name,
      commands: [
        [
          ...['train', '--features', all.wide, '--ids', all.ids, '--labels', all.labels, '--folds', '2'],
          ...['--recipe', 'feature-boost', '--json', '--out', to.run(name)],
          ...set({ ...NO_STATES, 'estimator.numIterations': 1200 }),
        ],
      ],
    },
  ];
}

/** Every recipe on rows of features, and what its settings change. */
function featureCases(to: Paths): readonly Case[] {
  const { concepts } = to.fixtures;
  const ridge = (name: string, settings: Settings, ...more: readonly string[]): Case =>
    to.rows(`rows/ridge-${name}`, 'feature-ridge', settings, undefined, ...more);
  const boost = (name: string, settings: Settings): Case =>
    to.rows(`rows/boost-${name}`, 'feature-boost', { ...TREES, ...settings });
  const oblivious = (name: string, settings: Settings): Case =>
    to.rows(`rows/oblivious-${name}`, 'feature-boost', { ...OBLIVIOUS, ...settings });
  const mlp = (name: string, settings: Settings): Case =>
    to.rows(`rows/mlp-${name}`, 'feature-mlp', { ...MLP, ...settings });
  const halves = { 'estimator.layout.halves': 2 };
  const tiles = { ...halves, 'estimator.layout.parts': 4, ...SHORT };
  const tiled = (name: string, settings: Settings): Case =>
    to.rows(`rows/tiled-${name}`, 'tiled-dual', { ...tiles, ...settings });
  return [
    ridge('kernel', {}),
    {
      name: 'rows/ridge-predict',
      needs: ['rows/ridge-kernel'],
      commands: [
        ...['json', 'geojson'].map((format) =>
          to.predictRows(
            'rows/ridge-predict',
            to.run('rows/ridge-kernel'),
            undefined,
            ...[
              '--out',
              to.file('rows/ridge-predict', `all.${format}`),
              '--uncertainty',
              '--coverage',
              '0.9',
            ],
          ),
        ),
        to.predictRows(
          'rows/ridge-predict',
          to.run('rows/ridge-kernel'),
          undefined,
          ...['--coverage', '0.8', '--uncertainty', '--hectares', '3.2', '--area', '0.25'],
        ),
        ['report', to.run('rows/ridge-kernel'), '--out', to.file('rows/ridge-predict', 'report.html')],
      ],
    },
    ridge('linear', { 'estimator.kind': 'ridge' }),
    ridge('kernels', {
      'estimator.kernels': 'laplacian,rational-quadratic,linear',
      'estimator.sessionWeight': 1,
      'estimator.clip': 3,
      ...NO_STATES,
    }),
    to.rows('rows/ridge-wide', 'feature-ridge', NO_STATES, ({ wide }) => wide),
    to.rows(
      'rows/ridge-two-files',
      'feature-ridge',
      NO_STATES,
      ({ dino, convnext }) => `${dino},${convnext}`,
    ),
    ridge('pca', { 'reduction.kind': 'pca', 'reduction.components': 12, 'estimator.scaling': 'together' }),
    ridge('pca-share', {
      'reduction.kind': 'pca',
      'reduction.components': 0.8,
      'reduction.whiten': true,
      'estimator.kind': 'ridge',
      ...NO_STATES,
    }),
    ridge('pls', { 'reduction.kind': 'pls', 'reduction.components': 4, 'estimator.kind': 'ridge' }),
    ridge('sqrt', { 'transform.kind': 'sqrt', ...NO_STATES }),
    ridge('log1p', { 'transform.kind': 'log1p', 'transform.innerFolds': 3, ...NO_STATES }),
    ridge('sqrt-plain', { 'transform.kind': 'sqrt', 'transform.biasCorrection': false, ...NO_STATES }),
    ridge('composition', { 'transform.kind': 'composition', ...NO_STATES }),
    boost('leafwise', { 'evaluation.leaveOneStateOut': true }),
    boost('leaves', { 'estimator.numLeaves': 12, 'estimator.maxDepth': 0, 'estimator.minDataInLeaf': 3 }),
    boost('components', { 'estimator.outputs': 'components', 'estimator.sessionWeight': 1 }),
    boost('early', {
      'estimator.earlyStoppingRound': 3,
      'estimator.numIterations': 40,
      'estimator.members': 1,
    }),
    boost('regularised', {
      'estimator.lambdaL1': 0.5,
      'estimator.minGainToSplit': 0.1,
      'estimator.featureFractionByNode': 0.5,
      'estimator.extraTrees': true,
      'estimator.maxBin': 15,
      'estimator.boostFromAverage': false,
    }),
    ...['regression_l1', 'huber', 'quantile', 'tweedie'].map((objective) =>
      boost(objective, {
        'estimator.objective': objective,
        'estimator.outputs': 'components',
        'estimator.members': 1,
        ...(objective === 'quantile' && { 'estimator.alpha': 0.6 }),
      }),
    ),
    to.rows(
      'rows/boost-categories',
      'feature-boost',
      { ...TREES, 'estimator.categorical': '[0]', 'estimator.members': 1, 'estimator.maxCatToOnehot': 2 },
      ({ codes }) => codes,
    ),
    boost('transformed', { 'transform.kind': 'composition', 'estimator.members': 1 }),
    boost('pca', { 'reduction.kind': 'pca', 'reduction.components': 8, 'estimator.members': 1 }),
    oblivious('plain', { 'evaluation.leaveOneStateOut': true }),
    oblivious('ordered', { 'estimator.boostingType': 'Ordered', 'estimator.members': 1 }),
    oblivious('random', {
      'estimator.randomStrength': 1,
      'estimator.baggingTemperature': 1,
      'estimator.scoreFunction': 'Cosine',
      'estimator.leafEstimationIterations': 3,
      'estimator.leafEstimationMethod': 'Gradient',
    }),
    oblivious('early', { 'estimator.odWait': 3, 'estimator.iterations': 30, 'estimator.members': 1 }),
    oblivious('components', { 'estimator.outputs': 'components', 'estimator.objective': 'quantile' }),
    to.rows(
      'rows/oblivious-categories',
      'feature-boost',
      { ...OBLIVIOUS, 'estimator.categorical': '[0]', 'estimator.members': 1 },
      ({ codes }) => codes,
    ),
    mlp('plain', { 'evaluation.leaveOneStateOut': true }),
    {
      name: 'rows/mlp-dropout',
      needs: ['rows/mlp-plain'],
      commands: [
        to.predictRows(
          'rows/mlp-dropout',
          to.run('rows/mlp-plain'),
          undefined,
          ...['--mc-dropout', '4', '--uncertainty', '--coverage', '0.9'],
        ),
      ],
    },
    mlp('layers', {
      'estimator.architecture.hidden': '[8,6]',
      'estimator.architecture.skip': true,
      'estimator.architecture.activation': 'silu',
      'estimator.architecture.inputDropout': 0.1,
      'estimator.storage': 'fp32',
      'estimator.sessionWeight': 1,
    }),
    mlp('losses', {
      'estimator.loss.mse': 0.1,
      'estimator.loss.smoothL1': 0.2,
      'estimator.loss.r2': 0.2,
      'estimator.loss.nll': 0.1,
      'estimator.loss.bins': 0.3,
      'estimator.loss.binCount': 4,
      'estimator.loss.termWeights.huber': 'alike',
      'estimator.loss.weights': 'nested',
    }),
    mlp('heads', {
      'estimator.auxiliary.state': 0.2,
      'estimator.auxiliary.species': 0.2,
      'estimator.auxiliary.ndvi': 0.2,
      'estimator.auxiliary.height': 0.2,
    }),
    mlp('teacher', { 'estimator.teacher.weight': 0.3, 'estimator.teacher.innerFolds': 3 }),
    mlp('teacher-labels', {
      'estimator.teacher.weight': 0.6,
      'estimator.teacher.features': false,
      'estimator.teacher.sees': 'ndvi,season',
      'estimator.loss.nll': 0.2,
      'estimator.loss.bins': 0.2,
    }),
    mlp('sgd', {
      'estimator.optimizer.kind': 'sgd',
      'estimator.optimizer.rate': 0.001,
      'estimator.schedule.kind': 'one-cycle',
      'estimator.clipNorm': 1,
      'estimator.accumulate': 2,
      'estimator.batch': 8,
    }),
    mlp('plateau', {
      'estimator.optimizer.kind': 'adam',
      'estimator.optimizer.decayBiases': false,
      'estimator.schedule.kind': 'plateau',
      'estimator.schedule.patience': 1,
      'estimator.checkpoint.choice': 'best-inner',
      'estimator.checkpoint.innerFolds': 3,
      'estimator.checkpoint.patience': 2,
      'estimator.epochs': 6,
      'estimator.averageDecay': 0.9,
    }),
    mlp('best-fold', {
      'estimator.checkpoint.choice': 'best-fold',
      'estimator.checkpoint.by': 'loss',
      'estimator.epochs': 4,
      'estimator.schedule.kind': 'constant',
    }),
    mlp('transformed', { 'transform.kind': 'sqrt', 'transform.innerFolds': 2, 'estimator.members': 1 }),
    mlp('pls', { 'reduction.kind': 'pls', 'estimator.members': 1 }),
    tiled('plain', {}),
    tiled('attention', {
      'estimator.architecture.tiles': 'attention',
      'estimator.architecture.fusion': 'film',
      'estimator.architecture.bottleneck': 6,
    }),
    tiled('quality', {
      'estimator.architecture.tiles': 'quality',
      'estimator.architecture.fusion': 'gated',
      'estimator.architecture.attendingBlocks': 2,
      'estimator.architecture.physics': 'project',
    }),
    tiled('concepts', { 'estimator.layout.extra': 16, 'estimator.concepts': concepts.narrow }),
    to.rows('rows/seed1', 'seed1', { ...tiles, 'estimator.epochs': 4 }),
    to.rows('rows/film', 'film-dual', { ...halves, ...SHORT }),
    to.rows('rows/film-tanh', 'film-dual', {
      ...halves,
      ...SHORT,
      'estimator.architecture.gamma': 'tanh',
      'estimator.architecture.hidden': 8,
      'estimator.mixup.probability': 0.5,
    }),
    to.rows('rows/density', 'density', tiles),
    to.rows('rows/density-together', 'density', { ...tiles, 'estimator.architecture.halves': 'together' }),
  ];
}

/** Stacks on one and two sets of features. */
function stackCases(to: Paths): readonly Case[] {
  const both = ({ dino, convnext }: FeatureFiles): string => `${dino},${convnext}`;
  const members = [
    { input: 'each', estimator: { kind: 'ridge' } },
    {
      input: 'dino',
      reduction: { kind: 'pls', components: 4 },
      weight: 2,
      estimator: { kind: 'kernel-ridge', kernels: ['laplacian'] },
    },
    {
      input: ['dino', 'convnext'],
      transform: { kind: 'composition' },
      estimator: { kind: 'leafwise-boost', numIterations: 10, members: 1 },
    },
    { input: 1, transform: { kind: 'sqrt' }, estimator: { kind: 'ridge' } },
    { input: 0, estimator: { kind: 'oblivious-boost', iterations: 6, members: 1 } },
    {
      input: 0,
      estimator: { kind: 'network', architecture: { kind: 'mlp', hidden: [6] }, loss: { mse: 1 }, epochs: 2 },
    },
  ];
  const recipe = (name: string, more: object): string =>
    to.recipe(name, {
      name,
      input: { kind: 'features' },
      estimator: { kind: 'stack', members, innerFolds: 3, ...more },
    });
  return [
    to.rows('rows/stack-one', 'feature-stack', NO_STATES),
    to.rows('rows/stack-two', 'feature-stack', {}, both),
    to.rows('rows/stack-mixed', recipe('mixed', { combine: 'fitted' }), NO_STATES, both),
    to.rows('rows/stack-mean', recipe('mean', { combine: 'mean' }), NO_STATES, both),
    to.rows(
      'rows/stack-no-spread',
      'feature-stack',
      { ...NO_STATES, 'estimator.spreadPenalty': 'null', 'estimator.penalty': 0 },
      both,
    ),
  ];
}

/** How folds are drawn, runs repeated and learning curves drawn. */
function foldCases(to: Paths): readonly Case[] {
  const { data, folds, train } = to.fixtures;
  const linear = { 'estimator.kind': 'ridge', ...NO_STATES };
  const one = (name: string, ...more: readonly string[]): Case =>
    to.rows(`folds/${name}`, 'feature-ridge', linear, undefined, ...more);
  const again = 'folds/resumed';
  return [
    one('date', '--group', 'date'),
    one('none', '--group', 'none', '--stratify', 'none'),
    one('total', '--stratify', 'total', '--seed', '9'),
    {
      name: 'folds/seeds',
      commands: [to.trainRows('folds/seeds', 'feature-ridge', linear, undefined, '--seeds', '0-1')],
    },
    {
      name: 'folds/seeds-network',
      commands: [
        to.trainRows(
          'folds/seeds-network',
          'feature-mlp',
          { ...MLP, 'estimator.members': 1 },
          undefined,
          '--seeds',
          '0-1',
        ),
      ],
    },
    {
      name: 'folds/curve',
      commands: [to.trainRows('folds/curve', 'feature-ridge', linear, undefined, '--learning-curve')],
    },
    {
      name: 'folds/curve-network',
      commands: [
        to.trainRows(
          'folds/curve-network',
          'feature-mlp',
          { ...MLP, 'estimator.members': 1 },
          undefined,
          '--learning-curve',
        ),
      ],
    },
    {
      name: again,
      commands: [
        to.trainRows(again, 'feature-ridge', linear),
        to.trainRows(again, 'feature-ridge', linear, undefined, '--resume'),
        to.trainRows(again, 'feature-ridge', { ...linear, 'estimator.clip': 2 }),
        to.trainRows(again, 'feature-ridge', { ...linear, 'estimator.clip': 2 }, undefined, '--overwrite'),
      ],
    },
    {
      name: 'folds/command',
      commands: [
        ['folds', data, '--folds', '3', '--out', to.file('folds/command', 'three.csv'), '--json'],
        [
          'folds',
          data,
          '--group',
          'date',
          '--seed',
          '2',
          '--out',
          to.file('folds/command', 'date.csv'),
          '--json',
        ],
        [
          ...['folds', '--features', train.dino, '--ids', train.ids, '--labels', train.labels, '--json'],
          ...['--stratify', 'total', '--out', to.file('folds/command', 'rows.csv')],
        ],
      ],
    },
    {
      name: 'folds/file',
      warm: DESCRIBED,
      commands: [
        to.trainPhotos('folds/file', 'descriptor-ridge', NO_STATES, '--folds', folds),
        ['score', join(data, 'train.csv'), to.file('folds/file', 'run/oof.csv'), '--json'],
      ],
    },
  ];
}

/** Recipes on the small photos, most through the tiny DINOv2. */
function photoCases(to: Paths): readonly Case[] {
  const { data, placed, concepts } = to.fixtures;
  const dino = { backbone: to.backbone('dinov2') };
  const small = { ...dino, 'input.size': 28 };
  const ridge = DESCRIBED;
  const warm = ridge;
  const dense = 'photos/density';
  const stack = 'photos/stack';
  return [
    {
      name: ridge,
      commands: [
        to.trainPhotos(ridge, 'descriptor-ridge', {}),
        to.predictPhotos(ridge, to.run(ridge), 'plain.csv'),
        to.predictPhotos(
          ridge,
          to.run(ridge),
          'all.csv',
          '--coverage',
          '0.9',
          '--uncertainty',
          '--hectares',
          '2',
        ),
        to.predictPhotos(ridge, to.run(ridge), 'all.json', '--coverage', '0.8', '--tta', 'flips'),
        [
          'predict',
          to.run(ridge),
          placed,
          '--out',
          to.file(ridge, 'placed.geojson'),
          '--json',
          '--uncertainty',
        ],
        [
          'predict',
          to.run(ridge),
          join(data, 'test'),
          '--out',
          to.file(ridge, 'text.csv'),
          '--coverage',
          '0.7',
        ],
        ['submit', to.run(ridge), data, '--out', to.file(ridge, 'submission.csv'), '--json'],
      ],
    },
    { ...to.photos('photos/descriptor-boost', 'descriptor-boost', TREES), warm },
    { ...to.photos('photos/descriptor-oblivious', 'descriptor-boost', OBLIVIOUS), warm },
    {
      ...to.photos('photos/descriptor-kernel', 'descriptor-ridge', {
        'estimator.kind': 'kernel-ridge',
        'transform.kind': 'composition',
        ...NO_STATES,
      }),
      warm,
    },
    to.photos('photos/feature-ridge', 'feature-ridge', dino, '--tta', 'd4', '--uncertainty'),
    to.photos('photos/feature-boost', 'feature-boost', { ...small, ...TREES }, '--tta', 'flips'),
    to.photos('photos/feature-mlp', 'feature-mlp', { ...small, ...MLP }, '--mc-dropout', '3'),
    to.photos('photos/windows', 'film-dual', {
      ...small,
      ...SHORT,
      'input.view': 'windows',
      'input.windows.across': 3,
      'input.windows.side': '0.7',
    }),
    to.photos(
      'photos/windows-attention',
      'tiled-dual',
      {
        ...small,
        ...SHORT,
        'input.view': 'windows',
        'input.combine': 'keep',
        'estimator.architecture.tiles': 'attention',
      },
      '--tta',
      'flips',
    ),
    to.photos('photos/tiled', 'tiled-dual', { ...small, ...SHORT }, '--tta', 'd4'),
    to.photos('photos/tiled-extra', 'tiled-dual', {
      ...small,
      ...SHORT,
      extra: to.backbone('siglip'),
    }),
    to.photos('photos/tiled-concepts', 'tiled-dual', {
      ...dino,
      ...SHORT,
      extra: to.backbone('siglip'),
      'estimator.concepts': concepts.wide,
    }),
    to.photos('photos/tiled-keep', 'tiled-dual', {
      ...small,
      ...SHORT,
      'input.combine': 'keep',
      'estimator.architecture.tiles': 'quality',
    }),
    {
      name: 'photos/film',
      commands: [
        to.trainPhotos('photos/film', 'film-dual', { ...dino, 'input.size': '~60', ...SHORT }),
        to.predictPhotos(
          'photos/film',
          to.run('photos/film'),
          'dropout.csv',
          '--mc-dropout',
          '3',
          '--tta',
          'flips',
        ),
        ['submit', to.run('photos/film'), data, '--out', to.file('photos/film', 'd4.csv'), '--tta', 'd4'],
      ],
    },
    {
      name: dense,
      commands: [
        to.trainPhotos(dense, 'density', { ...dino, 'input.size': 56, 'input.grid': 2, ...SHORT }),
        to.predictPhotos(
          dense,
          to.run(dense),
          'mapped.csv',
          '--map',
          to.file(dense, 'maps'),
          '--coverage',
          '0.9',
        ),
        to.predictPhotos(
          dense,
          to.run(dense),
          'turned.json',
          '--map',
          to.file(dense, 'turned'),
          '--tta',
          'd4',
        ),
      ],
    },
    to.photos('photos/seed1', 'seed1', { ...small, ...SHORT }),
    to.photos('photos/gem', 'feature-ridge', {
      backbone: to.backbone('convnext'),
      'input.pooling': 'gem',
      'input.view': 'whole',
      'input.precision': 'int8',
      ...NO_STATES,
    }),
    {
      name: stack,
      warm,
      commands: [
        to.trainPhotos(stack, 'feature-stack', {
          ...{ backbone: `${to.backbone('dinov2')},${to.backbone('convnext')},descriptors` },
          ...NO_STATES,
        }),
        to.predictPhotos(stack, to.run(stack), 'predictions.csv', '--tta', 'flips', '--uncertainty'),
      ],
    },
  ];
}

/** Backbones trained on photos, and heads on augmented ones. */
function fineTuneCases(to: Paths): readonly Case[] {
  const of = (backbone: string, settings: Settings): Settings => ({
    ...{ backbone: to.backbone(backbone), 'estimator.epochs': 2, 'estimator.batch': 4 },
    ...settings,
  });
  const small = { 'input.size': 28 };
  const mode = (kind: string): Settings => ({ ...small, 'estimator.fineTune.mode': kind });
  const tuned = (name: string, backbone: string, settings: Settings, ...more: readonly string[]): Case =>
    to.photos(`tuned/${name}`, 'film-dual', of(backbone, settings), ...more);
  const preset = (name: string): Settings => ({ ...small, 'estimator.augmentation': name });
  return [
    to.photos('tuned/seed2', 'seed2', of('dinov2', small), '--tta', 'd4', '--uncertainty'),
    to.photos(
      'tuned/two-stage',
      'seed1-two-stage',
      of('dinov2', { ...small, 'estimator.fineTune.headEpochs': 2 }),
      ...['--tta', 'flips'],
    ),
    {
      name: 'tuned/kinosuke',
      commands: [
        to.trainPhotos(
          'tuned/kinosuke',
          'kinosuke',
          of('dinov2', { 'input.size': 28, 'input.grid': 2, 'estimator.epochs': 4 }),
        ),
        to.predictPhotos(
          'tuned/kinosuke',
          to.run('tuned/kinosuke'),
          'mapped.csv',
          ...['--map', to.file('tuned/kinosuke', 'maps')],
        ),
      ],
    },
    tuned(
      'lora',
      'dinov2',
      {
        ...mode('lora'),
        'estimator.fineTune.lora.rank': 2,
        'estimator.fineTune.lora.dropout': 0.1,
        'estimator.augmentation': 'light',
      },
      '--mc-dropout',
      '2',
    ),
    tuned('lora-all', 'dinov3_qkvb', {
      'input.size': 32,
      'estimator.fineTune.mode': 'lora',
      'estimator.fineTune.lora.rank': 2,
      'estimator.fineTune.lora.targets': '[]',
      'estimator.fineTune.checkpoint': true,
    }),
    tuned('last', 'dinov2', {
      ...mode('last'),
      'estimator.fineTune.lastBlocks': 1,
      'estimator.augmentation': 'marks',
      'estimator.storage': 'fp32',
    }),
    tuned('last-gradual', 'dinov2', {
      ...mode('last'),
      'estimator.fineTune.lastBlocks': 2,
      'estimator.fineTune.unfreeze.schedule': 'gradual',
      'estimator.fineTune.unfreeze.blocks': 1,
      'estimator.fineTune.unfreeze.every': 1,
      'estimator.fineTune.backboneRateAtEnd': 0.3,
      'estimator.augmentation': 'seed1',
      'estimator.epochs': 4,
    }),
    tuned('full-adaptive', 'dinov2', {
      ...mode('full'),
      'estimator.fineTune.unfreeze.schedule': 'adaptive',
      'estimator.fineTune.unfreeze.every': 1,
      'estimator.fineTune.unfreeze.blocks': 1,
      'estimator.checkpoint.choice': 'best-inner',
      'estimator.checkpoint.innerFolds': 3,
      'estimator.epochs': 4,
    }),
    tuned('full-layers', 'dinov2', {
      ...mode('full'),
      'estimator.fineTune.layerDecay': 0.7,
      'estimator.fineTune.dropPath': 0.2,
      'estimator.fineTune.headEpochs': 1,
      'estimator.augmentation': 'heavy',
      'estimator.accumulate': 2,
      'estimator.clipNorm': 1,
      'estimator.averageDecay': 0.9,
    }),
    tuned('full-checkpoint', 'dinov2', {
      ...mode('full'),
      'estimator.fineTune.checkpoint': true,
      'estimator.mixup.probability': 0.5,
      'estimator.teacher.weight': 0.3,
      'estimator.teacher.innerFolds': 3,
      'estimator.auxiliary.state': 0.2,
      'estimator.auxiliary.ndvi': 0.2,
    }),
    tuned('convnext', 'convnext', {
      'input.size': 32,
      'estimator.fineTune.mode': 'full',
      'estimator.augmentation': 'first-place',
    }),
    tuned('swin', 'swinv2', {
      'input.view': 'whole',
      'estimator.epochs': 1,
      'estimator.fineTune.mode': 'last',
      'estimator.fineTune.lastBlocks': 0.5,
    }),
    tuned('efficientnet', 'efficientnet', { 'input.size': 32, 'estimator.fineTune.mode': 'full' }),
    tuned('frozen-light', 'dinov2', preset('light'), '--tta', 'flips', '--uncertainty'),
    tuned('frozen-heavy', 'dinov2', preset('heavy')),
    to.photos(
      'tuned/density-lora',
      'density',
      of('dinov2', { ...mode('lora'), 'input.grid': 2, 'estimator.augmentation': 'marks' }),
    ),
    to.photos(
      'tuned/tiled-last',
      'tiled-dual',
      of('dinov2', {
        ...mode('last'),
        'estimator.fineTune.lastBlocks': 1,
        'estimator.augmentation': 'seed1',
      }),
    ),
    to.photos(
      'tuned/tiled-windows',
      'tiled-dual',
      of('dinov2', {
        ...small,
        'input.view': 'windows',
        'input.windows.across': 3,
        'estimator.augmentation': 'light',
      }),
    ),
  ];
}

/** The rendered sample, and a few real photos. */
function sampleCases(to: Paths): readonly Case[] {
  const { csiro } = to.fixtures;
  const sample = to.file('sample/render', 'data');
  const ridge = 'sample/ridge';
  const real = 'csiro/ridge';
  const onReal = (name: string, recipe: string, settings: Settings): string[] => [
    ...[
      'train',
      csiro,
      '--recipe',
      recipe,
      '--folds',
      '2',
      '--json',
      '--out',
      to.run(name),
      ...set(settings),
    ],
  ];
  const test = join(csiro, 'test');
  return [
    {
      name: 'sample/render',
      commands: [['sample', '--out', sample, '--n', '14', '--seed', '3', '--json']],
    },
    {
      name: ridge,
      needs: ['sample/render'],
      commands: [
        ['check', sample, '--json'],
        ['train', sample, '--recipe', 'descriptor-ridge', '--folds', '3', '--json', '--out', to.run(ridge)],
        ['submit', to.run(ridge), sample, '--out', to.file(ridge, 'submission.csv'), '--json'],
        ['score', join(sample, 'test_truth.csv'), to.file(ridge, 'submission.csv'), '--json'],
      ],
    },
    {
      name: 'sample/film',
      needs: ['sample/render'],
      commands: [
        [
          ...[
            'train',
            sample,
            '--recipe',
            'film-dual',
            '--folds',
            '2',
            '--json',
            '--out',
            to.run('sample/film'),
          ],
          ...set({ backbone: to.backbone('dinov3_qkvb'), 'input.size': 64, ...SHORT }),
          ...set({ 'estimator.fineTune.mode': 'lora', 'estimator.augmentation': 'seed1' }),
        ],
        ['predict', to.run('sample/film'), join(sample, 'test'), '--out', to.file('sample/film', 'p.csv')],
      ],
    },
    {
      name: real,
      commands: [
        onReal(real, 'descriptor-ridge', {}),
        [
          'predict',
          to.run(real),
          test,
          '--out',
          to.file(real, 'p.json'),
          '--coverage',
          '0.8',
          '--uncertainty',
          '--json',
        ],
      ],
    },
    {
      name: 'csiro/tiles',
      commands: [
        onReal('csiro/tiles', 'tiled-dual', { ...SHORT, backbone: to.backbone('dinov2') }),
        [
          'predict',
          to.run('csiro/tiles'),
          test,
          '--out',
          to.file('csiro/tiles', 'p.csv'),
          '--tta',
          'd4',
          '--json',
        ],
      ],
    },
    {
      name: 'csiro/density',
      commands: [
        onReal('csiro/density', 'density', {
          ...{ ...SHORT, backbone: to.backbone('dinov3'), 'input.size': 128, 'input.grid': 4 },
        }),
        [
          ...['predict', to.run('csiro/density'), test, '--out', to.file('csiro/density', 'p.csv'), '--json'],
          ...['--map', to.file('csiro/density', 'maps')],
        ],
      ],
    },
  ];
}

/** Combinations of runs on rows and on photos. */
function ensembleCases(to: Paths): readonly Case[] {
  const { data, states, train } = to.fixtures;
  const rows = ['rows/ridge-kernel', 'rows/boost-leafwise', 'rows/mlp-plain'];
  const make = (name: string, members: readonly string[], ...more: readonly string[]): string[] => [
    ...['ensemble', ...members.map((member) => to.run(member)), '--out', to.run(name), '--json', ...more],
  ];
  const one = (name: string, more: readonly string[], ...predict: readonly string[]): Case => ({
    name: `ensemble/${name}`,
    needs: rows,
    commands: [
      make(`ensemble/${name}`, rows, ...more),
      to.predictRows(`ensemble/${name}`, to.run(`ensemble/${name}`), undefined, ...predict),
    ],
  });
  const mixed = ['rows/ridge-kernel', 'rows/stack-two', 'rows/oblivious-plain'];
  const photos = ['photos/descriptor-ridge', 'photos/feature-ridge', 'photos/film', 'tuned/lora'];
  const compared = 'ensemble/compare';
  return [
    one('nnls', [], '--mc-dropout', '3', '--coverage', '0.9', '--uncertainty'),
    one('nnls-free', ['--shrink', '0', '--per-target']),
    one('mean', ['--method', 'mean']),
    one('greedy', ['--method', 'caruana', '--seed', '3']),
    one('greedy-targets', ['--method', 'caruana', '--per-target', '--post', 'projection=covariance']),
    one('stacking', ['--method', 'stacking']),
    one('given', ['--weights', '0.5,0.2,0.3', '--post', 'calibration,clip,projection=plain']),
    one('rules', ['--post', 'wa-dead,first-place'], '--state', states),
    one('unprojected', ['--post', 'clip,projection=none']),
    {
      name: 'ensemble/two-files',
      needs: mixed,
      commands: [
        make('ensemble/two-files', mixed, '--post', 'calibration'),
        to.predictRows(
          'ensemble/two-files',
          to.run('ensemble/two-files'),
          ({ dino, convnext }) => `${dino},${convnext}`,
        ),
      ],
    },
    {
      name: 'ensemble/photos',
      needs: photos,
      commands: [
        make('ensemble/photos', photos, '--post', 'projection=metric'),
        to.predictPhotos(
          'ensemble/photos',
          to.run('ensemble/photos'),
          'p.csv',
          '--coverage',
          '0.8',
          '--uncertainty',
        ),
        to.predictPhotos(
          'ensemble/photos',
          to.run('ensemble/photos'),
          'p.json',
          '--tta',
          'd4',
          '--mc-dropout',
          '2',
        ),
        ['submit', to.run('ensemble/photos'), data, '--out', to.file('ensemble/photos', 'submission.csv')],
        ['report', to.run('ensemble/photos'), '--out', to.file('ensemble/photos', 'report.html')],
      ],
    },
    {
      name: 'ensemble/single',
      needs: ['rows/ridge-kernel'],
      commands: [make('ensemble/single', ['rows/ridge-kernel'], '--weights', '1', '--post', 'calibration')],
    },
    {
      name: compared,
      needs: [...rows, 'ensemble/mean', 'folds/seeds', 'folds/seeds-network'],
      commands: [
        [
          'score',
          '--compare',
          to.run('rows/ridge-kernel'),
          to.run('ensemble/mean'),
          '--draws',
          '200',
          '--json',
        ],
        [
          'score',
          '--compare',
          to.run('folds/seeds'),
          to.run('folds/seeds-network'),
          '--draws',
          '100',
          '--json',
        ],
        [
          ...['score', '--compare', train.labels, join(to.run('rows/ridge-kernel'), 'oof.csv')],
          ...[join(to.run('rows/mlp-plain'), 'oof.csv'), '--draws', '100', '--seed', '4', '--json'],
        ],
        ['score', train.labels, join(to.run('rows/boost-leafwise'), 'oof.csv'), '--json'],
        ['score', train.labels, join(to.run('rows/boost-leafwise'), 'oof.csv')],
      ],
    },
  ];
}

/** Training again on photos that the run labels itself. */
function pseudoCases(to: Paths): readonly Case[] {
  const { data, unlabelled } = to.fixtures;
  const pseudo = (name: string, from: string, ...more: readonly string[]): Case => ({
    name: `pseudo/${name}`,
    needs: [from],
    commands: [
      [
        ...[
          'pseudo',
          to.run(from),
          data,
          '--unlabelled',
          unlabelled,
          '--out',
          to.run(`pseudo/${name}`),
          '--json',
        ],
        ...more,
      ],
      to.predictPhotos(`pseudo/${name}`, to.run(`pseudo/${name}`), 'predictions.csv'),
    ],
  });
  return [
    pseudo('ridge', 'photos/descriptor-ridge', '--rounds', '2'),
    pseudo(
      'ridge-all',
      'photos/descriptor-ridge',
      '--rounds',
      '1',
      '--teacher',
      'all',
      '--certainty',
      'relative',
    ),
    pseudo('boost', 'photos/feature-boost', '--rounds', '1', '--keep', '0.5', '--weight', '0.8'),
    pseudo('film', 'photos/film', '--rounds', '1', '--mc-dropout', '2', '--tta', 'flips'),
    pseudo('lora', 'tuned/lora', '--rounds', '1'),
    pseudo('stack', 'photos/stack', '--rounds', '1'),
  ];
}

/** Backbones trained further on photos of plants. */
function pretrainCases(to: Paths): readonly Case[] {
  const { classes, measured } = to.fixtures;
  const pretrain = (name: string, photos: string, backbone: string, settings: Settings): Case => {
    const out = to.file(`pretrain/${name}`, 'out');
    return {
      name: `pretrain/${name}`,
      commands: [
        [
          ...['pretrain', photos, '--backbone', to.backbone(backbone), '--seed', '3', '--json', '--out', out],
          ...set({ 'holdout.share': 0.25, 'estimator.batch': 4, 'estimator.epochs': 2, ...settings }),
        ],
        to.trainPhotos(`pretrain/${name}`, 'feature-ridge', {
          ...{ backbone: `cases/pretrain/${name}/out/backbone.safetensors`, ...NO_STATES },
        }),
      ],
    };
  };
  const small = { 'input.size': 28 };
  return [
    pretrain('classes', classes, 'dinov2', small),
    pretrain('columns', measured, 'dinov2', {
      ...small,
      columns: 'height',
      'estimator.augmentation': 'light',
      'estimator.checkpoint.choice': 'best',
    }),
    pretrain('lora', classes, 'dinov2', {
      ...small,
      'estimator.fineTune.mode': 'lora',
      'estimator.fineTune.lora.rank': 2,
      'estimator.augmentation': 'heavy',
      'estimator.storage': 'fp16',
    }),
    pretrain('last', measured, 'dinov3', {
      'input.size': 32,
      'input.pooling': 'cls-mean',
      'estimator.fineTune.mode': 'last',
      'estimator.fineTune.unfreeze.schedule': 'gradual',
      'estimator.fineTune.unfreeze.every': 1,
      'estimator.fineTune.unfreeze.blocks': 1,
      'estimator.dropout': 0.1,
      'estimator.averageDecay': 0.9,
    }),
    pretrain('convnext', classes, 'convnext', { 'input.size': 32, 'holdout.share': 0 }),
  ];
}

/** Runs of checkpoints of PyTorch. */
function importCases(to: Paths): readonly Case[] {
  const { data, folds, checkpoints } = to.fixtures;
  const imported = (name: string, files: readonly string[], ...more: readonly string[]): Case => ({
    name: `import/${name}`,
    commands: [
      [
        ...['import', ...files, '--recipe', 'seed2', '--backbone', to.backbone('dinov2'), '--data', data],
        ...['--folds', folds, '--out', to.run(`import/${name}`), '--json'],
        ...set({ 'input.size': 28, 'estimator.architecture.hidden': 8 }),
        ...more,
      ],
      to.predictPhotos(`import/${name}`, to.run(`import/${name}`), 'p.csv', '--tta', 'd4', '--uncertainty'),
    ],
  });
  return [
    imported('whole', checkpoints.whole),
    imported('heads', checkpoints.heads, '--set', 'estimator.storage=fp16'),
    {
      name: 'import/backbone',
      commands: [
        ['backbones', 'path', checkpoints.whole[0] as string, '--json'],
        [
          ...['features', data, '--backbone', checkpoints.whole[0] as string, '--size', '28', '--json'],
          ...['--out', to.file('import/backbone', 'f.npy'), '--ids', to.file('import/backbone', 'ids.txt')],
        ],
      ],
    },
  ];
}

/** Portable models of runs on photos. */
function exportCases(to: Paths): readonly Case[] {
  const exported = (name: string, from: string, ...more: readonly string[]): Case => ({
    name: `export/${name}`,
    needs: [from],
    commands: [['export', to.run(from), '--out', to.file(`export/${name}`, 'out'), '--json', ...more]],
  });
  const both = ['photos/feature-ridge', 'photos/film', 'tuned/lora'];
  return [
    exported('ridge', 'photos/feature-ridge'),
    exported('ridge-int8', 'photos/feature-ridge', '--precision', 'int8'),
    exported('ridge-int4', 'photos/feature-ridge', '--precision', 'int4', '--tta', 'flips'),
    exported('kaggle', 'photos/feature-ridge', '--kaggle', '--kaggle-user', 'me', '--tta', 'd4'),
    exported('views', 'photos/film', '--input', 'views'),
    exported('film', 'photos/film'),
    exported('boost', 'photos/feature-boost'),
    exported('mlp', 'photos/feature-mlp'),
    exported('tiled', 'photos/tiled', '--tta', 'flips'),
    exported('tiled-extra', 'photos/tiled-extra'),
    exported('concepts', 'photos/tiled-concepts'),
    exported('windows', 'photos/windows-attention'),
    exported('density', 'photos/density'),
    exported('lora', 'tuned/lora'),
    exported('full', 'tuned/seed2'),
    exported('frozen', 'tuned/frozen-light'),
    exported('descriptors', 'photos/descriptor-ridge'),
    exported('rows', 'rows/ridge-kernel'),
    exported('imported', 'import/whole'),
    {
      name: 'export/stack',
      commands: [
        to.trainPhotos('export/stack', 'feature-stack', {
          ...{ backbone: `${to.backbone('dinov2')},${to.backbone('convnext')}`, ...NO_STATES },
        }),
        ['export', to.run('export/stack'), '--out', to.file('export/stack', 'out'), '--json'],
      ],
    },
    {
      name: 'export/transformed',
      commands: [
        to.trainPhotos('export/transformed', 'feature-ridge', {
          ...{ backbone: to.backbone('dinov2'), 'input.size': 28, ...NO_STATES },
          ...{ 'reduction.kind': 'pls', 'transform.kind': 'sqrt', 'transform.innerFolds': 2 },
        }),
        ['export', to.run('export/transformed'), '--out', to.file('export/transformed', 'out'), '--json'],
      ],
    },
    {
      name: 'export/oblivious',
      commands: [
        to.trainPhotos('export/oblivious', 'feature-boost', {
          ...{ backbone: to.backbone('dinov2'), 'input.size': 28, ...OBLIVIOUS },
        }),
        ['export', to.run('export/oblivious'), '--out', to.file('export/oblivious', 'out'), '--json'],
      ],
    },
    {
      name: 'export/ensemble',
      needs: both,
      commands: [
        [
          ...['ensemble', ...both.map((name) => to.run(name)), '--out', to.run('export/ensemble'), '--json'],
          ...['--post', 'calibration,clip'],
        ],
        ['export', to.run('export/ensemble'), '--out', to.file('export/ensemble', 'out'), '--json'],
      ],
    },
  ];
}

/** Every backbone as it is, in several ways. */
function backboneCases(to: Paths): readonly Case[] {
  const { data } = to.fixtures;
  const features = (name: string, key: string, backbone: string, ...more: readonly string[]): string[] => [
    ...['features', data, '--backbone', to.backbone(backbone), '--split', 'test', '--json'],
    ...['--out', to.file(name, `${key}.npy`), '--ids', to.file(name, `${key}.txt`), ...more],
  ];
  const kinds = Object.keys(to.fixtures.backbones);
  const transformers = new Set(['dinov2', 'dinov3_qkvb', 'siglip']);
  const dino = 'backbones/dinov2-ways';
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['whole', ['--view', 'whole']],
    ['tiles', ['--view', 'tiles', '--blocks', '1,2', '--pooling', 'cls-mean', '--size', '28']],
    ['tiles-kept', ['--view', 'tiles', '--combine', 'keep', '--pooling', 'max', '--blocks', '17/23,23/23']],
    ['windows', ['--view', 'windows', '--windows', '0.75,4,2', '--size', '28', '--pooling', 'gem']],
    ['patches', ['--pooling', 'patches', '--grid', '2', '--size', '56']],
    ['large', ['--size', '~128', '--pooling', 'cls']],
    ['int8', ['--precision', 'int8', '--pooling', 'mean']],
    ['int4', ['--precision', 'int4']],
  ];
  return [
    ...kinds.map((kind) => {
      const name = `backbones/${kind}`;
      return {
        name,
        commands: [
          ['backbones', 'path', to.backbone(kind), '--json'],
          features(name, 'pooled', kind),
          ...(transformers.has(kind)
            ? [features(name, 'blocks', kind, '--blocks', '0,1', '--pooling', 'mean')]
            : [features(name, 'int8', kind, '--precision', 'int8', '--view', 'whole')]),
        ],
      };
    }),
    { name: dino, commands: ways.map(([key, more]) => features(dino, key, 'dinov2', ...more)) },
    {
      name: 'backbones/list',
      commands: [
        ['backbones', 'list', '--json'],
        ['backbones', 'list'],
      ],
    },
  ];
}

/** Commands that only look. */
function toolCases(to: Paths): readonly Case[] {
  const { data, csiro } = to.fixtures;
  return [
    {
      name: 'tools/check',
      commands: [
        ['check', data, '--json'],
        ['check', csiro, '--json'],
        ['check', data],
      ],
    },
    {
      name: 'tools/help',
      commands: [['--help'], ['train', '--help'], ['predict', '--help'], ['export', '--help']],
    },
  ];
}

/** What is refused, and how. */
function failures(to: Paths): readonly Case[] {
  const { data, train, predict } = to.fixtures;
  const out = to.file('failures', 'never');
  const bad = (recipe: string, settings: Settings): string[] => [
    ...['train', data, '--recipe', recipe, '--out', out, ...set(settings)],
  ];
  return [
    {
      name: 'failures',
      needs: ['rows/ridge-kernel', 'rows/mlp-plain', 'photos/descriptor-ridge'],
      commands: [
        bad('seed9', {}),
        bad('seed2', {}),
        bad('film-dual', { backbone: to.backbone('dinov2'), 'estimator.fineTune.mode': 'most' }),
        bad('film-dual', { backbone: to.backbone('dinov2'), 'input.size': 30 }),
        bad('film-dual', { backbone: 'gone.safetensors' }),
        bad('density', { backbone: to.backbone('dinov2'), 'input.view': 'windows' }),
        bad('descriptor-ridge', { 'estimator.clip': 0 }),
        bad('descriptor-ridge', { 'estimator.kind': 'network' }),
        ['train', data, '--recipe', 'descriptor-ridge', '--folds', '30', '--out', out],
        ['train', data, '--features', train.dino, '--recipe', 'feature-ridge', '--out', out],
        ['predict', to.run('rows/ridge-kernel'), data, '--out', join(out, 'p.csv')],
        to.predictRows('failures', to.run('rows/ridge-kernel'), ({ wide }) => wide),
        to.predictRows('failures', to.run('rows/ridge-kernel'), undefined, '--mc-dropout', '3'),
        to.predictRows('failures', to.run('rows/ridge-kernel'), undefined, '--out', `${out}.xml`),
        ['predict', to.run('photos/descriptor-ridge'), data, '--map', out, '--out', `${out}.csv`],
        [
          'predict',
          to.run('rows/ridge-kernel'),
          '--features',
          train.dino,
          '--ids',
          predict.ids,
          '--out',
          `${out}.csv`,
        ],
        ['ensemble', to.run('rows/mlp-plain'), to.run('photos/descriptor-ridge'), '--out', out],
        ['submit', to.run('rows/ridge-kernel'), data, '--out', `${out}.csv`],
        ['check', join(data, 'train'), '--json'],
        ['score', train.labels, predict.ids],
        ['backbones', 'path', 'nobody_knows_this'],
        ['mow'],
      ],
    },
  ];
}
