import type { Scope, Tensor } from '../../tensor/index.ts';
import { type AttributeClasses, auxiliaryHeads } from './auxiliary.ts';
import type { Features } from './features.ts';
import { type HeadSettings, heads } from './heads.ts';
import type { LabelSettings, Labels } from './labels.ts';
import { networkLoss } from './loss.ts';
import type { Heads } from './masses.ts';
import { type Mixing, mixedFeatures, mixedLabels } from './mixup.ts';

/** What heads answer for a batch, and the loss of it. */
export interface JudgedHeads {
  readonly heads: Heads;
  /** Scalar. */
  readonly loss: Tensor;
}

/**
 * Heads with their loss over features of a labelled batch, wherever the features come from.
 *
 * @param scope for training, or for inference to judge without dropout
 * @param mix embedding mixup of features and labels alike
 */
export function judgedHeads(
  scope: Scope,
  features: Features,
  labels: Labels,
  settings: HeadSettings & LabelSettings,
  classes: AttributeClasses,
  mix?: Mixing,
): JudgedHeads {
  const answers = heads(scope, mix ? mixedFeatures(features, mix) : features, settings);
  const beside = auxiliaryHeads(scope, answers.embedding, settings.loss, settings.auxiliary, classes);
  return {
    heads: answers,
    loss: networkLoss(answers, beside, mix ? mixedLabels(labels, mix) : labels, settings),
  };
}
