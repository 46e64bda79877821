import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { compile, parametersOf, Scope, Training } from '../../tensor/index.ts';
import { filledFeatures } from '../heads/features.ts';
import { type Statistics, setStatistics } from '../heads/statistics.ts';
import type { BatchSize, Examples, NetworkInput, TrainedPart, Weights } from '../inputs/input.ts';
import { BACKBONE } from '../inputs/photos.ts';
import type { Objective, Validation } from '../objectives/objective.ts';
import type { FineTuneSettings } from '../settings/fine-tune.ts';
import type { NetworkSettings } from '../settings/network.ts';
import { type EpochSettings, trainEpochs } from './epochs.ts';
import { networkGroups, networkOptimizer } from './optimization.ts';
import { type Stage, StagedTraining } from './stages.ts';
import { partAt } from './unfreezing.ts';

/** What of a network's settings decides how it is trained. */
export type TrainingSettings = EpochSettings & Pick<NetworkSettings, 'clipNorm' | 'averageDecay'>;

/** Examples with what is known of them. */
export interface LabelledExamples<Labels> {
  readonly examples: Examples;
  readonly labels: Labels;
}

/** What a stage of a training is made of. */
export interface StageSpec<Labels> {
  readonly objective: Objective<Labels>;
  readonly input: NetworkInput;
  readonly settings: Omit<TrainingSettings, 'epochs' | 'schedule' | 'checkpoint'>;
  /** What the heads know of the training examples besides weights. */
  readonly statistics?: Statistics;
  readonly random: RandomStream;
}

/** What a network is trained with. */
export interface TrainSpec<Labels> extends StageSpec<Labels> {
  readonly settings: TrainingSettings;
  /** The parts of the backbone in the order in which they are trained, and when the next one joins. */
  readonly parts: readonly TrainedPart[];
  readonly unfreeze?: FineTuneSettings['unfreeze'];
  readonly train: LabelledExamples<Labels>;
  /** Examples the weights are validated on after every epoch; absent: none. */
  readonly validation?: LabelledExamples<Labels> | null;
  /** Heads that were trained before. */
  readonly start?: Weights | undefined;
  readonly record: (line: MetricLine) => void;
  /** See `FitContext`. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly checkpointFolder?: string | undefined;
}

/**
 * Trains a network's heads, and parts of its backbone where its input has one, the next batch being made while the
 * network computes.
 *
 * @returns weights and statistics in single precision, those trained of the backbone under `backbone.`
 * @throws UsageError when settings, labels and input do not suit each other
 * @throws InputError when a photo cannot be used
 * @throws SwardError, InputError as `trainEpochs` does
 */
export async function train<Labels>(spec: TrainSpec<Labels>): Promise<Weights> {
  const { objective, settings, parts, unfreeze, validation, start, random, onProgress, checkpointFolder } =
    spec;
  const batch = validation ? spec.input.batchFor(validation.examples.count) : undefined;
  const training = await StagedTraining.open({
    open: (part) => openStage(spec, parts[part] as TrainedPart, Boolean(validation), batch),
    partAt: (lines) => (unfreeze ? partAt(lines.map(progressBy(spec)), parts.length, unfreeze) : 0),
    ...(start && { start }),
  });
  const { examples, labels } = spec.train;
  try {
    return await trainEpochs({
      training,
      get parameters() {
        return training.stage.parameters;
      },
      source: {
        count: examples.count,
        async batch(items, stream) {
          const { feeds, mix } = await examples.drawn(items, settings.batch, stream);
          return { ...feeds, ...objective.feeds(labels, items, settings.batch, { random: stream, mix }) };
        },
      },
      settings,
      random: random.fork('epochs'),
      record: spec.record,
      ...(onProgress && { onProgress }),
      ...(validation && { validate: () => validate(training, spec, validation) }),
      ...(checkpointFolder !== undefined && { checkpointFolder }),
    });
  } finally {
    await training.dispose();
  }
}

/**
 * How good an epoch was, higher being better: by the examples that the checkpoint is chosen by, else by the loss, for
 * examples that only score the weights must decide nothing.
 */
function progressBy<Labels>({ objective, settings }: TrainSpec<Labels>): (line: MetricLine) => number {
  const chooses = settings.checkpoint.choice !== 'last';
  return (line) => (chooses ? objective.progress(line) : undefined) ?? -(line['training loss'] ?? 0);
}

/**
 * Compiles the training of heads and a part of the backbone, in one graph from what is fed to the loss.
 *
 * @param validates whether a program that validates the same weights is wanted too
 * @param batch how many that one takes at once; default as many as the input allows
 * @throws UsageError when settings, labels and input do not suit each other
 */
export async function openStage<Labels>(
  { objective, input, settings, statistics, random }: StageSpec<Labels>,
  part: TrainedPart,
  validates: boolean,
  { examples, rows }: BatchSize = { examples: input.atOnce, rows: input.atOnce },
): Promise<Stage> {
  const { optimizer, batch, accumulate, clipNorm, averageDecay } = settings;
  const heads = Scope.root({ random: random.fork('weights') });
  const graph = input.graph(part, random.fork('weights'));
  const plain = filledFeatures(graph.features(examples, 'inference'), rows);
  // Built first, so that the parameters so far are those of the model without its auxiliary heads.
  objective.answers(heads.forInference(), plain);
  const kept = heads.parameters;
  const { loss } = objective.loss(heads.forTraining(), graph.features(batch, 'training'));
  const trained = parametersOf([loss]).filter(({ trainable }) => trainable);
  const options = graph.options(heads.parameters);
  const training = await Training.compile(
    {
      loss,
      optimizer: networkOptimizer(optimizer),
      groups: networkGroups(trained, optimizer, graph.rates),
      random: random.fork('dropout'),
      accumulate,
      ...(clipNorm !== null && { clipNorm }),
      ...(averageDecay !== null && { averageDecay }),
      ...(graph.precision === 'float16' && { lossScaling: { searches: true } }),
    },
    { ...options, precision: graph.precision },
  );
  const outputs = objective.loss(heads.forInference(), plain);
  const { variables } = training;
  const validation = validates ? await compile({ outputs }, { ...options, variables }) : null;
  const parameters = [...kept, ...trained.filter(({ name }) => name.startsWith(BACKBONE))];
  if (statistics) setStatistics(variables, parameters, statistics);
  return { training, validation, parameters };
}

/** Validates on examples as they are, with the weights as they would be kept. */
async function validate<Labels>(
  { stage, averages }: StagedTraining,
  { objective, input }: StageSpec<Labels>,
  { examples, labels }: LabelledExamples<Labels>,
): Promise<Validation> {
  const { width } = objective;
  const said = new Float32Array(examples.count * width);
  let lossSum = 0;
  let counted = 0;
  const { examples: atOnce, rows } = input.batchFor(examples.count);
  for await (const { items, feeds } of examples.batches(atOnce)) {
    const fed = { ...feeds, ...objective.feeds(labels, items, rows) };
    const { answers, loss } = (await stage.validation?.run(fed, { substitute: averages })) ?? {};
    said.set(answers?.values.subarray(0, items.length * width) as Float32Array, (items[0] as number) * width);
    const count = objective.counted(labels, items);
    lossSum += Number(loss?.values[0]) * count;
    counted += count;
  }
  return objective.validation(labels, said, lossSum / counted);
}
