import { z } from 'zod';
import { linearLayer, reshape, type Scope, type Tensor, zeros } from '../../tensor/index.ts';

const share = z.number().min(0).default(0);

/** Shares of auxiliary heads in the loss: what labels say besides masses. 0: no such head. */
export const auxiliarySettings = z.strictObject({
  state: share.describe('share in the loss of a head that tells the State; 0: no such head'),
  species: share.describe('share of a head that tells the species; 0: none'),
  ndvi: share.describe('share of a head that tells NDVI; 0: none'),
  height: share.describe('share of a head that tells the height; 0: none'),
});

export type AuxiliarySettings = z.output<typeof auxiliarySettings>;

/** What of the loss decides which heads beside the masses there are. */
export interface AuxiliaryLoss {
  readonly nll: number;
  readonly bins: number;
  readonly binCount: number;
}

/** Names of the classes that heads tell apart; empty where there is no such head. */
export interface AttributeClasses {
  readonly state: readonly string[];
  readonly species: readonly string[];
}

/** Logits and values beside the masses; what is not asked for is absent. */
export interface AuxiliaryOutputs {
  /** `[batch, 5]` ln of the error's variance, grams². */
  readonly logVariance?: Tensor;
  /** `[batch, 5, bins]`: which interval each mass lies in. */
  readonly bins?: Tensor;
  /** `[batch, States]` */
  readonly state?: Tensor;
  /** `[batch, species]` */
  readonly species?: Tensor;
  /** `[batch, 1]` in deviations from the training photos' mean. */
  readonly ndvi?: Tensor;
  /** `[batch, 1]` in deviations from the training photos' mean. */
  readonly height?: Tensor;
}

const MASSES = 5;

/**
 * Linear heads on what the masses are read from, which shape it in training and are dropped afterwards. Names:
 * `auxiliary.bins`, `auxiliary.state`, ….
 *
 * @param embedding `[batch, width]`
 */
export function auxiliaryHeads(
  scope: Scope,
  embedding: Tensor,
  loss: AuxiliaryLoss,
  auxiliary: AuxiliarySettings,
  classes: AttributeClasses,
): AuxiliaryOutputs {
  const batch = embedding.shape[0] as number;
  const head = (name: string, width: number): Tensor =>
    linearLayer(scope.in('auxiliary').in(name), embedding, width);
  return {
    ...(loss.nll > 0 && {
      // Starting at nothing every error counts alike, as in the squared loss.
      logVariance: linearLayer(scope.in('auxiliary').in('variance'), embedding, MASSES, {
        weightInitializer: zeros,
        biasInitializer: zeros,
      }),
    }),
    ...(loss.bins > 0 && {
      bins: reshape(head('bins', MASSES * loss.binCount), [batch, MASSES, loss.binCount]),
    }),
    ...(auxiliary.state > 0 && { state: head('state', classes.state.length) }),
    ...(auxiliary.species > 0 && { species: head('species', classes.species.length) }),
    ...(auxiliary.ndvi > 0 && { ndvi: head('ndvi', 1) }),
    ...(auxiliary.height > 0 && { height: head('height', 1) }),
  };
}
