import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import {
  type CompileOptions,
  compile,
  type GroupRule,
  input,
  layerwiseDecay,
  type Parameter,
  parametersOf,
  ratesByPrefix,
  Scope,
  type Tensor,
  Training,
} from '../../tensor/index.ts';
import { layerOf } from '../../vision/backbones/index.ts';
import { heads } from '../network/heads.ts';
import { type LabelCodec, labelInputs } from '../network/labels.ts';
import { mixupInputs } from '../network/mixup.ts';
import { networkGroups, networkOptimizer } from '../network/optimization.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { judgedHeads } from '../network/training-graph.ts';
import { BACKBONE, backboneFeatures, backboneScope, IMAGES, type PhotoBackbone } from './photo-backbone.ts';
import type { Stage } from './staged-training.ts';
import type { TrainedPart } from './unfreezing.ts';

/** What a stage of a fine-tuning is made of. */
export interface StageSpec {
  readonly net: PhotoBackbone;
  readonly settings: NetworkSettings;
  readonly codec: LabelCodec;
  readonly part: TrainedPart;
  readonly random: RandomStream;
}

/** Names of a stage's inference outputs. */
export const MASSES = 'masses';
export const LOSS = 'loss';

/** Views whose pixels fill a program's memory well, and the photos at most that they may be of. */
const PIXELS_AT_ONCE = 16 * 224 ** 2;
const PHOTOS_AT_ONCE = 16;

/** Photos that go through a backbone at once where nothing is trained. */
export function photosAtOnce({ recipe, views }: PhotoBackbone): number {
  const fitting = Math.floor(PIXELS_AT_ONCE / (views * recipe.size ** 2));
  return Math.max(1, Math.min(PHOTOS_AT_ONCE, fitting));
}

/** The input of views. @returns `[batch · views, 3, size, size]` */
export function viewInput({ recipe, views }: PhotoBackbone, batch: number): Tensor {
  return input(IMAGES, [batch * views, 3, recipe.size, recipe.size]);
}

/**
 * Compiles the training of heads and a part of the backbone, in one graph from views to the loss, and the program
 * that judges the same weights.
 *
 * @throws UsageError when settings, labels and backbone do not suit each other
 */
export async function openStage({ net, settings, codec, part, random }: StageSpec): Promise<Stage> {
  const { fineTune, batch } = settings;
  const headScope = Scope.root({ random: random.fork('weights') });
  const bodyScope = backboneScope(net, fineTune, { random: random.fork('weights'), part });
  const judgedAtOnce = photosAtOnce(net);
  const plain = backboneFeatures(net, bodyScope.forInference(), viewInput(net, judgedAtOnce));
  // Built first, so that the parameters so far are those of the model without its auxiliary heads.
  heads(headScope.forInference(), plain, settings);
  const headParameters = headScope.parameters;
  const judged = judgedHeads(
    headScope.forInference(),
    plain,
    labelInputs(judgedAtOnce, codec),
    settings,
    codec,
  );
  const { dropPath, checkpoint } = fineTune;
  const { loss } = judgedHeads(
    headScope.forTraining(),
    backboneFeatures(net, bodyScope.forTraining(), viewInput(net, batch), { dropPath, checkpoint }),
    labelInputs(batch, codec),
    settings,
    codec,
    settings.mixup.probability > 0 ? mixupInputs(batch) : undefined,
  );
  const { training, trained, options } = await compileTraining(net, settings, { loss, part, random });
  const outputs = { [MASSES]: judged.heads.masses, [LOSS]: judged.loss };
  const inference = await compile({ outputs }, { ...options, variables: training.variables });
  return { training, inference, parameters: [...headParameters, ...trained.filter(isOfBackbone)] };
}

/** What of a network's settings decides how it is trained. */
type TrainingSettings = Pick<
  NetworkSettings,
  'optimizer' | 'accumulate' | 'clipNorm' | 'averageDecay' | 'fineTune'
>;

/**
 * Compiles the training of whatever a loss depends on that is trainable, the backbone's part at its own rates.
 *
 * @returns also the parameters trained, and how programs beside it are to be compiled
 * @throws UsageError when the provider cannot compute as asked
 */
export async function compileTraining(
  net: Pick<PhotoBackbone, 'backbone'>,
  settings: TrainingSettings,
  { loss, part, random }: Pick<StageSpec, 'part' | 'random'> & { readonly loss: Tensor },
): Promise<{
  readonly training: Training;
  readonly trained: readonly Parameter[];
  readonly options: CompileOptions;
}> {
  const { optimizer, accumulate, clipNorm, averageDecay, fineTune } = settings;
  const trained = parametersOf([loss]).filter(({ trainable }) => trainable);
  const options = compileOptions(settings);
  const training = await Training.compile(
    {
      loss,
      optimizer: networkOptimizer(optimizer),
      groups: networkGroups(trained, optimizer, backboneRates(net, settings, part)),
      random: random.fork('dropout'),
      accumulate,
      ...(clipNorm !== null && { clipNorm }),
      ...(averageDecay !== null && { averageDecay }),
      ...(fineTune.computeType === 'float16' && { lossScaling: {} }),
    },
    options,
  );
  return { training, trained, options };
}

/** How the settings want programs run. @throws UsageError when the provider cannot compute as asked */
export function compileOptions({ fineTune }: Pick<NetworkSettings, 'fineTune'>): CompileOptions {
  const { provider, computeType } = fineTune;
  const able = HALF_PRECISION[provider];
  if (computeType !== 'float32' && !able.includes(computeType)) {
    const where = Object.entries(HALF_PRECISION).filter(([, types]) => types.includes(computeType));
    throw new UsageError(
      `estimator.fineTune.computeType ${computeType}: provider ${provider} does not train in it; ` +
        `use float32, or estimator.fineTune.provider ${where.map(([name]) => name).join(' or ')}`,
    );
  }
  return { provider };
}

/** Which halved types each provider has kernels for. */
const HALF_PRECISION: Readonly<Record<NetworkSettings['fineTune']['provider'], readonly string[]>> = {
  cpu: [],
  cuda: ['float16', 'bfloat16'],
  webgpu: ['float16'],
};

/** How much slower than its heads a backbone learns, layer by layer; parameters are told apart by {@link BACKBONE}. */
function backboneRates(
  { backbone }: Pick<PhotoBackbone, 'backbone'>,
  { fineTune }: Pick<NetworkSettings, 'fineTune'>,
  part: TrainedPart,
): GroupRule[] {
  const layer = layerOf(backbone);
  return [
    ratesByPrefix({ [BACKBONE]: part.rate }),
    layerwiseDecay(fineTune.layerDecay, backbone.depth + 1, (name) =>
      name.startsWith(BACKBONE) ? layer(name.slice(BACKBONE.length)) : undefined,
    ),
  ];
}

const isOfBackbone = ({ name }: Parameter): boolean => name.startsWith(BACKBONE);
