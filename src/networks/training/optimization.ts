import {
  adam,
  adamW,
  constantRate,
  cosineWithWarmUp,
  type GroupRule,
  type Optimizer,
  oneCycle,
  type Parameter,
  type ParameterGroup,
  parameterGroups,
  plateauFactor,
  sgd,
  withoutDecayForSmall,
} from '../../tensor/index.ts';
import type { NetworkSettings } from '../settings/network.ts';

/** The optimizer of the settings. */
export function networkOptimizer({ kind, weightDecay, momentum }: NetworkSettings['optimizer']): Optimizer {
  switch (kind) {
    case 'adamw':
      return adamW({ weightDecay });
    case 'adam':
      return adam({ weightDecay });
    case 'sgd':
      return sgd({ momentum, weightDecay });
  }
}

/**
 * Trained parameters in groups of equal treatment.
 *
 * @param rules further rules, as a smaller rate for a backbone (`ratesByPrefix`)
 */
export function networkGroups(
  parameters: readonly Parameter[],
  { decayBiases }: NetworkSettings['optimizer'],
  rules: readonly GroupRule[] = [],
): ParameterGroup[] {
  const trained = parameters.filter((parameter) => parameter.trainable);
  return parameterGroups(trained, decayBiases ? rules : [withoutDecayForSmall, ...rules]);
}

/**
 * The learning rate of a step.
 *
 * @param step steps taken before it
 * @param losses validation losses of the epochs so far, or training losses where nothing is validated
 */
export type RateSchedule = (step: number, losses: readonly number[]) => number;

/** The schedule of the settings for a training of `stepsPerEpoch` steps an epoch. */
export function rateSchedule(
  { optimizer, schedule, epochs }: Pick<NetworkSettings, 'optimizer' | 'schedule' | 'epochs'>,
  stepsPerEpoch: number,
): RateSchedule {
  const { rate } = optimizer;
  const steps = Math.max(1, Math.round(epochs * stepsPerEpoch));
  switch (schedule.kind) {
    case 'constant':
      return constantRate(rate);
    case 'cosine':
      return cosineWithWarmUp({
        rate,
        steps,
        warmUp: Math.min(steps, Math.round(schedule.warmUp * stepsPerEpoch)),
        floor: rate * schedule.floor,
      });
    case 'one-cycle':
      return oneCycle({ peak: rate, steps });
    case 'plateau':
      return (_, losses) => rate * plateauFactor(losses, schedule);
  }
}
