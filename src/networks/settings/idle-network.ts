import type { IdleRule } from '../../ground/idle-settings.ts';
import { changesPictures, OPERATION_NAMES } from '../../vision/augment/index.ts';
import { type NetworkSettings, trainsOnPhotos } from './network.ts';

/** What of a training says nothing while other settings are as they are; recipes and pretraining alike. */
type Trained = Pick<NetworkSettings, 'optimizer' | 'schedule' | 'augmentation'> & {
  readonly checkpoint: { readonly choice: string };
  readonly fineTune: Omit<NetworkSettings['fineTune'], 'headEpochs' | 'headRate'>;
};

/** Rules that hold wherever a network is trained. */
export const IDLE_IN_TRAINING: readonly IdleRule<Trained>[] = [
  {
    names: ['checkpoint.patience', 'checkpoint.by'],
    reason: ({ checkpoint }) =>
      checkpoint.choice === 'last'
        ? '@checkpoint.choice is last, so that no epoch is chosen; set it to another choice, or leave this out'
        : null,
  },
  {
    names: ['optimizer.momentum'],
    reason: ({ optimizer }) =>
      optimizer.kind === 'sgd' ? null : '@optimizer.kind is not sgd; set it to sgd, or leave this out',
  },
  {
    names: ['schedule.warmUp', 'schedule.floor'],
    reason: ({ schedule }) => scheduleReason(schedule.kind, 'cosine'),
  },
  {
    names: ['schedule.patience', 'schedule.factor'],
    reason: ({ schedule }) => scheduleReason(schedule.kind, 'plateau'),
  },
  {
    names: ['fineTune.lora'],
    reason: ({ fineTune }) => modeReason(fineTune.mode, 'lora'),
  },
  {
    names: ['fineTune.lastBlocks'],
    reason: ({ fineTune }) => modeReason(fineTune.mode, 'last'),
  },
  {
    names: ['fineTune.unfreeze.blocks', 'fineTune.unfreeze.every', 'fineTune.backboneRateAtEnd'],
    reason: ({ fineTune }) =>
      fineTune.unfreeze.schedule === 'at-once'
        ? '@fineTune.unfreeze.schedule is at-once; set it to gradual or adaptive, or leave this out'
        : null,
  },
  {
    names: ['fineTune.draws'],
    reason: ({ augmentation }) =>
      changesPictures(augmentation)
        ? null
        : '@augmentation changes no picture, so that a photo is the same every time; set it, or leave this out',
  },
  {
    names: ['fineTune.trunkCache'],
    reason: ({ fineTune: { mode, dropPath } }) =>
      mode === 'lora'
        ? '@fineTune.mode is lora, which has adapters in all blocks; set it to last, or leave this out'
        : dropPath > 0
          ? '@fineTune.dropPath is above 0, so that all blocks are left to chance; set it to 0, or leave this out'
          : null,
  },
  ...OPERATION_NAMES.map(
    (name): IdleRule<Trained> => ({
      names: [`augmentation.${name}`],
      reason: ({ augmentation }) =>
        augmentation[name].probability > 0
          ? null
          : `@augmentation.${name}.probability is 0; set it above 0, or leave this out`,
    }),
  ),
  {
    names: ['augmentation.batch.mixupAlpha', 'augmentation.batch.cutmixAlpha'],
    reason: ({ augmentation }) =>
      augmentation.batch.probability > 0
        ? null
        : '@augmentation.batch.probability is 0; set it above 0, or leave this out',
  },
];

const scheduleReason = (kind: string, wanted: string): string | null =>
  kind === wanted ? null : `@schedule.kind is ${kind}; set it to ${wanted}, or leave this out`;

const modeReason = (mode: string, wanted: string): string | null =>
  mode === wanted ? null : `@fineTune.mode is ${mode}; set it to ${wanted}, or leave this out`;

/** What only a backbone that is trained has use for. */
const OF_A_TRAINED_BACKBONE = [
  ...['lora', 'lastBlocks', 'unfreeze', 'backboneRate', 'backboneRateAtEnd', 'layerDecay', 'dropPath'],
  ...['checkpoint', 'precision', 'provider', 'photoCache', 'draws', 'trunkCache', 'headEpochs', 'headRate'],
].map((name) => `fineTune.${name}`);

/** What training on augmented photos has use for too, though the backbone stays as it is. */
const OF_PHOTOS = [
  ...['precision', 'provider', 'photoCache', 'draws', 'trunkCache', 'headEpochs', 'headRate'],
].map((name) => `fineTune.${name}`);

/** Rules for the networks of recipes. */
export const IDLE_IN_NETWORKS: readonly IdleRule<NetworkSettings>[] = [
  {
    names: OF_A_TRAINED_BACKBONE.filter((name) => !OF_PHOTOS.includes(name)),
    reason: ({ fineTune }) =>
      fineTune.mode === 'none'
        ? '@fineTune.mode is none, so that the backbone is not trained; set it to lora, last or full'
        : null,
  },
  {
    names: OF_PHOTOS,
    reason: (settings) =>
      trainsOnPhotos(settings)
        ? null
        : '@fineTune.mode is none and photos are not augmented, so that features are trained on; ' +
          'set @fineTune.mode to lora, last or full',
  },
  ...IDLE_IN_TRAINING,
  {
    names: ['fineTune.headRate'],
    reason: ({ fineTune }) =>
      fineTune.headEpochs === 0 ? '@fineTune.headEpochs is 0; set it above 0, or leave this out' : null,
  },
  {
    names: ['checkpoint.innerFolds'],
    reason: ({ checkpoint }) =>
      checkpoint.choice === 'best-inner'
        ? null
        : `@checkpoint.choice is ${checkpoint.choice}; set it to best-inner, or leave this out`,
  },
  {
    names: ['teacher.sees', 'teacher.features', 'teacher.innerFolds'],
    reason: ({ teacher }) =>
      teacher ? null : '@teacher.weight is 0, so that there is no teacher; set it above 0, or leave this out',
  },
  {
    names: ['teacher.features'],
    reason: (settings) =>
      trainsOnPhotos(settings)
        ? 'photos are trained on, of which a teacher sees no features; leave it out'
        : null,
  },
  {
    names: ['mixup.alpha'],
    reason: ({ mixup }) =>
      mixup.probability > 0 ? null : '@mixup.probability is 0; set it above 0, or leave this out',
  },
  {
    names: ['clip'],
    reason: ({ standardise }) =>
      standardise ? null : '@standardise is false; set it to true, or leave this out',
  },
  termRule('beta', 'smoothL1'),
  termRule('delta', 'huber'),
  termRule('binCount', 'bins'),
  ...(['mse', 'smoothL1', 'huber', 'r2', 'nll', 'bins'] as const).map((term) =>
    termRule(`termWeights.${term}`, term),
  ),
  {
    names: ['architecture.dropout', 'architecture.activation'],
    reason: ({ architecture }) =>
      architecture.kind === 'mlp' && architecture.hidden.length === 0
        ? '@architecture.hidden is empty; give it widths, or leave this out'
        : null,
  },
];

function termRule(
  name: string,
  term: 'mse' | 'smoothL1' | 'huber' | 'r2' | 'nll' | 'bins',
): IdleRule<NetworkSettings> {
  return {
    names: [`loss.${name}`],
    reason: ({ loss }) =>
      loss[term] > 0 ? null : `@loss.${term} is 0; give the term a share, or leave this out`,
  };
}
