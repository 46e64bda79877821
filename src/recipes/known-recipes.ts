import { NETWORK_RECIPES } from './network-presets.ts';

/** A recipe as written, before defaults and checks. */
export interface RecipeDraft {
  name?: unknown;
  input?: unknown;
  reduction?: unknown;
  transform?: unknown;
  /** What is taken of photos once a backbone is named. */
  plan?: unknown;
  estimator?: unknown;
  evaluation?: unknown;
}

/** What a person chooses a recipe by, in a few words each. */
export interface RecipeSummary {
  /** What it is shown of photos. */
  readonly reads: string;
  /** What it learns with. */
  readonly learns: string;
  /** How long it takes, roughly, with a few hundred photos on a small machine. */
  readonly cost: string;
}

const FEATURES = 'a feature file, or a backbone’s features';
/**
 * Kernel regression of all columns that it sees as one set, whose kernel is a wide network's. With covariates roots of
 * the three components do better, without them all masses (docs/accuracy.md).
 */
const WIDE_NETWORK = {
  kind: 'kernel-average',
  members: [{ input: 'all', components: 10_000, whitening: 0 }],
  kernels: ['relu'],
  penalties: [0.003, 0.01, 0.03, 0.1, 0.3, 1],
  power: 0.8,
  outputs: 'masses',
  covariateWeight: 0.2,
  withCovariates: { power: 0.5, outputs: 'components' },
};
/** The same of stacks that read covariates, where odd columns are to carry less. */
const BESIDE_COVARIATES = { ...WIDE_NETWORK, clip: 2 };
const SECONDS = 'seconds, once the features are made';

/** Tiles of a photo at two stages of the bundled backbone, and descriptors: sets 0 and 1. */
const PHOTO_SETS = {
  kind: 'several',
  sets: [
    {
      kind: 'backbone',
      backbone: 'bundled',
      view: 'tiles',
      combine: 'all',
      pooling: 'stages',
      blocks: ['3/6', '4/6'],
      upright: 'turn',
    },
    { kind: 'descriptors' },
  ],
};
/** Views of {@link PHOTO_SETS} as a kernel average reads them; what contrasts say counts double. */
const photoViews = (whitening: number): object[] =>
  [0, 'descriptors.contrast', 'descriptors.form', 'descriptors.scatter'].map((input) => ({
    input,
    whitening,
    weight: input === 'descriptors.contrast' ? 2 : 1,
  }));
/** The backbone's features with one view of the descriptors, which is what a height leaves to be seen. */
const besideBackbone = (view: string): object[] => [0, view].map((input) => ({ input, whitening: 0.7 }));

/** The recipes that come with sward, by name. */
export const RECIPES: Readonly<
  Record<string, { readonly summary: RecipeSummary; readonly draft: RecipeDraft }>
> = {
  'photo-ridge': {
    summary: {
      reads: 'the bundled backbone, and descriptors',
      learns: 'kernel ridge on the mean of four kernels',
      cost: 'seconds, once both are made (about 0.3 s a photo)',
    },
    draft: {
      input: PHOTO_SETS,
      estimator: { kind: 'kernel-average' },
    },
  },
  'photo-stack': {
    summary: {
      reads: 'the bundled backbone, and descriptors',
      learns: 'two such kernel ridges averaged; with heights two others, of fewer columns',
      cost: 'seconds, once both are made (about 0.3 s a photo)',
    },
    draft: {
      input: PHOTO_SETS,
      estimator: {
        kind: 'stack',
        members: [
          { estimator: { kind: 'kernel-average', members: photoViews(0.7), clip: 3 } },
          { estimator: { kind: 'kernel-average', members: photoViews(0.8), clip: 2.5 } },
        ],
        withCovariates: {
          members: [
            {
              estimator: {
                kind: 'kernel-average',
                members: besideBackbone('descriptors.form'),
                clip: 2.5,
              },
            },
            {
              estimator: {
                kind: 'kernel-average',
                members: besideBackbone('descriptors.contrast'),
                kernels: ['relu'],
                penalties: [0.003, 0.01, 0.03, 0.1, 0.3, 1],
                covariateWeight: 0.5,
              },
            },
          ],
        },
      },
    },
  },
  'descriptor-ridge': {
    summary: {
      reads: 'colour and texture descriptors',
      learns: 'kernel ridge',
      cost: 'seconds, once the descriptors are made',
    },
    draft: { input: { kind: 'descriptors' }, estimator: { kind: 'view-average' } },
  },
  'feature-average': {
    summary: {
      reads: 'one or several feature files or backbones, the best first',
      learns: 'kernel ridge on the first, which counts more, and on all; with heights on each too',
      cost: SECONDS,
    },
    draft: {
      input: { kind: 'features' },
      estimator: {
        kind: 'stack',
        combine: 'stretched',
        spreadPenalty: 1,
        members: [
          { input: 0, weight: 2.5, estimator: WIDE_NETWORK },
          { input: 'all', estimator: WIDE_NETWORK },
        ],
        withCovariates: {
          members: [
            { input: 0, covariates: false, estimator: BESIDE_COVARIATES },
            { input: 'each', estimator: BESIDE_COVARIATES },
            { input: 'all', estimator: BESIDE_COVARIATES },
          ],
        },
      },
    },
  },
  'feature-ridge': {
    summary: { reads: FEATURES, learns: 'kernel ridge', cost: SECONDS },
    draft: { input: { kind: 'features' }, estimator: { kind: 'kernel-ridge' } },
  },
  'descriptor-boost': {
    summary: {
      reads: 'colour and texture descriptors',
      learns: 'boosted trees',
      cost: 'seconds, once the descriptors are made',
    },
    draft: { input: { kind: 'descriptors' }, estimator: { kind: 'leafwise-boost' } },
  },
  'feature-boost': {
    summary: { reads: FEATURES, learns: 'boosted trees', cost: 'minutes, once the features are made' },
    draft: { input: { kind: 'features' }, estimator: { kind: 'leafwise-boost' } },
  },
  'feature-stack': {
    summary: {
      reads: 'one or several feature files or backbones',
      learns: 'kernel ridge on each and on its components, combined',
      cost: SECONDS,
    },
    draft: {
      input: { kind: 'features' },
      estimator: {
        kind: 'stack',
        combine: 'fitted',
        members: [
          { input: 'each', estimator: { kind: 'kernel-ridge' } },
          {
            input: 'each',
            reduction: { kind: 'pca', components: 64 },
            estimator: { kind: 'kernel-ridge', scaling: 'together' },
          },
        ],
      },
    },
  },
  ...Object.fromEntries(
    Object.entries(NETWORK_RECIPES).map(([name, { summary, ...recipe }]) => [
      name,
      { summary, draft: { input: { kind: 'features' }, ...recipe } },
    ]),
  ),
};

/** What the recipes that come with sward are chosen by, by name. */
export const RECIPE_SUMMARIES: Readonly<Record<string, RecipeSummary>> = Object.fromEntries(
  Object.entries(RECIPES).map(([name, { summary }]) => [name, summary]),
);

/** The recipes of trainings that name none, on a data folder and on feature files. */
export const DEFAULT_RECIPES = {
  folder: 'photo-ridge',
  table: 'photo-ridge',
  features: 'feature-average',
} as const;

/** Names of the recipes that come with sward. */
export const RECIPE_NAMES: readonly string[] = Object.keys(RECIPES);
