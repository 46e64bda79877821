import { hasWidth } from '../estimators/kernel/kernels.ts';
import { UsageError } from '../ground/errors.ts';
import { type IdleRule, requireEffect, type WrittenSetting } from '../ground/idle-settings.ts';
import { IDLE_IN_NETWORKS } from '../networks/settings/idle-network.ts';
import type { EstimatorSettings, Recipe } from './recipe-schema.ts';

type OfKind<Kind extends EstimatorSettings['kind']> = Extract<EstimatorSettings, { kind: Kind }>;

const TOGETHER: IdleRule<OfKind<'ridge' | 'kernel-ridge' | 'view-average'>> = {
  names: ['clip'],
  reason: ({ scaling }) =>
    scaling === 'together'
      ? '@scaling is together, which clips nothing; set it to columns, or leave this out'
      : null,
};

/** How covariates are read matters where there are any. */
const covariateRules = (hasCovariates: boolean): readonly IdleRule<unknown>[] => [
  {
    names: ['covariateWeight', 'covariateGamma', 'withCovariates', 'covariates'],
    reason: () =>
      hasCovariates ? null : 'the recipe reads no covariates; add --with height, or leave this out',
  },
];

const LINEAR: IdleRule<OfKind<'kernel-ridge'>> = {
  names: ['gammas'],
  reason: ({ kernels }) =>
    kernels.some(hasWidth)
      ? null
      : 'the linear kernel has no width, nor has relu; add another to @kernels, or leave this out',
};

/** What both kinds of trees have rules for. */
type Trees = Pick<OfKind<'leafwise-boost'>, 'objective' | 'categorical'>;

const IN_TREES: readonly IdleRule<Trees>[] = [
  {
    names: ['alpha'],
    reason: ({ objective }) =>
      objective === 'huber' || objective === 'quantile'
        ? null
        : `@objective is ${objective}; set it to huber or quantile, or leave this out`,
  },
  {
    names: ['tweedieVariancePower'],
    reason: ({ objective }) =>
      objective === 'tweedie' ? null : `@objective is ${objective}; set it to tweedie, or leave this out`,
  },
  {
    names: ['catL2', 'catSmooth', 'maxCatThreshold', 'maxCatToOnehot', 'ctrTargetBorderCount'],
    reason: ({ categorical }) =>
      categorical.length > 0 ? null : '@categorical names no column; name some, or leave this out',
  },
];

const stopsRule = (name: string, rounds: number): string | null =>
  rounds > 0 ? null : `@${name} is 0, so that nothing stops early; set it above 0, or leave this out`;

const IN_LEAFWISE: readonly IdleRule<OfKind<'leafwise-boost'>>[] = [
  ...IN_TREES,
  {
    names: ['innerFolds'],
    reason: ({ earlyStoppingRound }) => stopsRule('earlyStoppingRound', earlyStoppingRound),
  },
  {
    names: ['baggingFraction'],
    reason: ({ baggingFreq }) =>
      baggingFreq > 0 ? null : '@baggingFreq is 0, so that every tree sees all photos; set it above 0',
  },
];

const IN_OBLIVIOUS: readonly IdleRule<OfKind<'oblivious-boost'>>[] = [
  ...IN_TREES,
  { names: ['innerFolds'], reason: ({ odWait }) => stopsRule('odWait', odWait) },
  {
    names: ['permutationCount'],
    reason: ({ boostingType }) =>
      boostingType === 'Ordered' ? null : '@boostingType is Plain; set it to Ordered, or leave this out',
  },
];

const IN_STACKS: readonly IdleRule<OfKind<'stack'>>[] = [
  {
    names: ['spreadPenalty', 'innerFolds'],
    reason: ({ combine }) =>
      combine === 'mean'
        ? '@combine is mean, which fits nothing; set it to fitted or stretched, or leave this out'
        : null,
  },
  {
    names: ['penalty'],
    reason: ({ combine }) =>
      combine === 'fitted'
        ? null
        : `@combine is ${combine}, which fits no weights; set it to fitted, or leave this out`,
  },
];

/**
 * Refuses settings that a person wrote and that have no effect as the recipe is.
 *
 * @throws UsageError naming the setting and the remedy
 */
export function requireRecipeEffect(recipe: Recipe, written: readonly WrittenSetting[]): void {
  const where = `recipe ${recipe.name}`;
  requireEffect(where, 'input', recipe.input, IN_INPUTS, written);
  requireEffect(where, 'transform', recipe.transform, IN_TRANSFORMS, written);
  requireEstimatorEffect(where, 'estimator', recipe, written);
}

function requireEstimatorEffect(
  where: string,
  at: string,
  { estimator: settings, covariates }: Pick<Recipe, 'estimator' | 'covariates'>,
  written: readonly WrittenSetting[],
): void {
  const ofCovariates = covariateRules(covariates !== undefined);
  switch (settings.kind) {
    case 'ridge':
    case 'view-average':
      requireEffect(where, at, settings, [TOGETHER, ...ofCovariates], written);
      break;
    case 'kernel-ridge':
      requireEffect(where, at, settings, [TOGETHER, LINEAR, ...ofCovariates], written);
      break;
    case 'kernel-average':
      requireEffect(where, at, settings, ofCovariates, written);
      break;
    case 'leafwise-boost':
      requireEffect(where, at, settings, IN_LEAFWISE, written);
      break;
    case 'oblivious-boost':
      requireEffect(where, at, settings, IN_OBLIVIOUS, written);
      break;
    case 'network':
      requireEffect(where, at, settings, IDLE_IN_NETWORKS, written);
      break;
    case 'stack': {
      const { combine, withCovariates } = settings;
      requireEffect(where, at, settings, [...IN_STACKS, ...ofCovariates], written);
      if (covariates && !withCovariates && settings.members.every((member) => member.covariates === false)) {
        throw new UsageError(
          `${where}: no member of the stack reads ${covariates.join(' and ')}: ` +
            'give one covariates true, or leave --with out',
        );
      }
      for (const [list, members] of [
        ['members', settings.members],
        ['withCovariates.members', withCovariates?.members ?? []],
      ] as const) {
        for (const [index, { estimator, transform }] of members.entries()) {
          const own = `${at}.${list}.${index}`;
          requireEffect(where, own, combine, IN_MEMBERS, written);
          requireEffect(where, own, null, ofCovariates, written);
          requireEffect(where, `${own}.transform`, transform, IN_TRANSFORMS, written);
          requireEstimatorEffect(where, `${own}.estimator`, { estimator, covariates }, written);
        }
      }
    }
  }
}

const IN_MEMBERS: readonly IdleRule<OfKind<'stack'>['combine']>[] = [
  {
    names: ['weight'],
    reason: (combine) =>
      combine === 'fitted'
        ? 'the stack’s combine is fitted, so that weights are found; set it to mean, or leave this out'
        : null,
  },
];

const IN_TRANSFORMS: readonly IdleRule<Recipe['transform']>[] = [
  {
    names: ['innerFolds'],
    reason: (transform) =>
      'biasCorrection' in transform && !transform.biasCorrection
        ? '@biasCorrection is false; leave one of the two out'
        : null,
  },
];

const IN_INPUTS: readonly IdleRule<Recipe['input']>[] = [
  {
    names: ['grid'],
    reason: (input) =>
      input.kind === 'backbone' && input.pooling !== 'patches'
        ? '@pooling keeps no map; set it to patches, or leave this out'
        : null,
  },
  {
    names: ['combine'],
    reason: (input) =>
      input.kind === 'backbone' && (input.view === 'whole' || input.view === 'halves')
        ? `@view is ${input.view}, which leaves nothing to combine; set it to tiles or windows, or leave this out`
        : null,
  },
];
