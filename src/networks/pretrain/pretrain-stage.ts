import type { RandomStream } from '../../ground/random.ts';
import {
  compile,
  dropout,
  input,
  linearLayer,
  reshape,
  Scope,
  type Tensor,
  truncatedNormal,
  zeros,
} from '../../tensor/index.ts';
import { compileTraining, LOSS, photosAtOnce, viewInput } from '../fine-tune/open-stage.ts';
import { backboneFeatures, backboneScope, type PhotoBackbone } from '../fine-tune/photo-backbone.ts';
import type { Stage } from '../fine-tune/staged-training.ts';
import type { TrainedPart } from '../fine-tune/unfreezing.ts';
import { type Objective, TARGETS, WEIGHTS } from './objective.ts';
import { fineTuning, type PretrainSettings } from './settings.ts';

/** What a stage of a pretraining is made of. */
export interface PretrainStageSpec {
  readonly net: PhotoBackbone;
  readonly settings: PretrainSettings;
  readonly objective: Objective;
  readonly part: TrainedPart;
  readonly random: RandomStream;
}

/** Of the head's first weights. */
const HEAD_DEVIATION = 0.01;

/** The stage's inference output beside the loss. */
export const OUTPUTS = 'outputs';

/**
 * Compiles the training of a linear head and a part of the backbone, in one graph from views to the objective's loss,
 * and the program that judges the same weights.
 *
 * @throws UsageError when settings and backbone do not suit each other
 */
export async function openPretrainStage(spec: PretrainStageSpec): Promise<Stage> {
  const { net, settings, objective, part, random } = spec;
  const { estimator } = settings;
  const fineTune = fineTuning(settings);
  const { dropPath, checkpoint } = fineTune;
  const head = Scope.root({ random: random.fork('weights') }).in('head');
  const body = backboneScope(net, fineTune, { random: random.fork('weights'), part });
  const answers = (features: Tensor, scope: Scope): Tensor => {
    const vectors = reshape(features, [features.shape[0] as number, -1]);
    // Answers start alike for all photos, so that the first steps do not pull the backbone anywhere.
    return linearLayer(scope, dropout(scope, vectors, estimator.dropout), objective.width, {
      weightInitializer: truncatedNormal(HEAD_DEVIATION),
      biasInitializer: zeros,
    });
  };
  const judgedAtOnce = photosAtOnce(net);
  const plain = backboneFeatures(net, body.forInference(), viewInput(net, judgedAtOnce));
  const outputs = answers(plain.parts, head.forInference());
  const judged = lossOf(objective, outputs, judgedAtOnce);
  const augmented = backboneFeatures(net, body.forTraining(), viewInput(net, estimator.batch), {
    dropPath,
    checkpoint,
  });
  const loss = lossOf(objective, answers(augmented.parts, head.forTraining()), estimator.batch);
  const { training, trained, options } = await compileTraining(
    net,
    { ...estimator, fineTune },
    { loss, part, random },
  );
  const inference = await compile(
    { outputs: { [OUTPUTS]: outputs, [LOSS]: judged } },
    { ...options, variables: training.variables },
  );
  return { training, inference, parameters: trained };
}

function lossOf(objective: Objective, outputs: Tensor, batch: number): Tensor {
  const targets = input(TARGETS, [batch, objective.width]);
  const weights = input(WEIGHTS, [batch, objective.weightWidth]);
  return objective.loss(outputs, targets, weights);
}
