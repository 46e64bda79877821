import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import { compile, input, type Program, Scope, Training } from '../../tensor/index.ts';
import { type BatchSource, trainEpochs, type Validation } from './epochs.ts';
import { FeatureRows, inBatches } from './feature-rows.ts';
import { heads } from './heads.ts';
import { type LabelCodec, type LabelledPhotos, labelCodec, labelFeeds, labelInputs } from './labels.ts';
import type { Weights } from './loop-state.ts';
import { mixupFeeds, mixupInputs } from './mixup.ts';
import { networkGroups, networkOptimizer } from './optimization.ts';
import { physicalMasses } from './physical-masses.ts';
import { rowsAtOnce, threadsFor } from './predictor.ts';
import type { NetworkSettings } from './settings.ts';
import { columnsOf, featuresOfRows, type NetworkShape } from './shape.ts';
import { setStatistics, trainingStatistics } from './statistics.ts';
import { judgedHeads } from './training-graph.ts';

/** Photos as rows of features, with their labels. */
export interface LabelledRows extends LabelledPhotos {
  readonly inputs: Matrix;
}

/** What one member of a network is trained with. */
export interface MemberSpec {
  readonly shape: NetworkShape;
  readonly settings: NetworkSettings;
  readonly train: LabelledRows & { readonly weights: readonly number[] };
  /** Photos the weights are judged by after every epoch; absent: none. */
  readonly validation?: LabelledRows;
  readonly random: RandomStream;
  readonly record: (line: MetricLine) => void;
  /** See `FitContext`. */
  readonly onProgress?: (share: number) => void;
  readonly checkpointFolder?: string;
}

/**
 * Trains one member on rows of features.
 *
 * @returns its weights and statistics, in single precision
 * @throws UsageError when settings and labels do not suit each other
 * @throws SwardError, InputError as `trainEpochs` does
 */
export async function trainMember(spec: MemberSpec): Promise<Weights> {
  const { shape, settings, train, validation, random, record, onProgress, checkpointFolder } = spec;
  const codec = labelCodec(train, settings);
  const scope = Scope.root({ random: random.fork('weights') });
  const columns = columnsOf(shape);
  // Built first, so that the parameters so far are those of the model without its auxiliary heads.
  heads(scope.forInference(), featuresOfRows(input('features', [1, columns]), shape), settings);
  const parameters = scope.parameters;
  const { loss } = judgedHeads(
    scope.forTraining(),
    featuresOfRows(input('features', [settings.batch, columns]), shape),
    labelInputs(settings.batch, codec),
    settings,
    codec,
    settings.mixup.probability > 0 ? mixupInputs(settings.batch) : undefined,
  );
  const training = await Training.compile(
    {
      loss,
      optimizer: networkOptimizer(settings.optimizer),
      groups: networkGroups(scope.parameters, settings.optimizer),
      random: random.fork('dropout'),
      accumulate: settings.accumulate,
      ...(settings.clipNorm !== null && { clipNorm: settings.clipNorm }),
      ...(settings.averageDecay !== null && { averageDecay: settings.averageDecay }),
    },
    threadsFor(scope.parameters),
  );
  const { inputs, targets, weights } = train;
  setStatistics(training.variables, scope.parameters, trainingStatistics(inputs, shape, targets, weights));
  const judge = validation && (await Judge.open(scope, training, shape, settings, codec, validation));
  try {
    return await trainEpochs({
      training,
      parameters,
      source: rowSource(train, settings, codec),
      settings,
      random: random.fork('epochs'),
      record,
      ...(onProgress && { onProgress }),
      ...(judge && { validate: () => judge.validate() }),
      ...(checkpointFolder !== undefined && { checkpointFolder }),
    });
  } finally {
    await judge?.dispose();
    await training.dispose();
  }
}

/** Batches of rows with their labels, mixed where the settings say so. */
function rowSource(
  train: LabelledRows,
  { batch, mixup }: Pick<NetworkSettings, 'batch' | 'mixup'>,
  codec: LabelCodec,
): BatchSource {
  const rows = new FeatureRows(train.inputs);
  return {
    count: rows.count,
    batch: async (items, random) => ({
      features: rows.take(items, batch),
      ...labelFeeds(train, items, batch, codec),
      ...(mixup.probability > 0 && mixupFeeds(random, items.length, batch, mixup)),
    }),
  };
}

/** Judges the weights of a training, or their averages, on rows it does not learn from. */
class Judge {
  readonly #program: Program;
  readonly #training: Training;
  readonly #photos: LabelledRows;
  readonly #rows: FeatureRows;
  readonly #settings: NetworkSettings;
  readonly #codec: LabelCodec;

  private constructor(
    program: Program,
    training: Training,
    photos: LabelledRows,
    settings: NetworkSettings,
    codec: LabelCodec,
  ) {
    this.#program = program;
    this.#training = training;
    this.#photos = photos;
    this.#rows = new FeatureRows(photos.inputs);
    this.#settings = settings;
    this.#codec = codec;
  }

  static async open(
    scope: Scope,
    training: Training,
    shape: NetworkShape,
    settings: NetworkSettings,
    codec: LabelCodec,
    photos: LabelledRows,
  ): Promise<Judge> {
    const batch = rowsAtOnce(columnsOf(shape));
    const rows = input('features', [batch, columnsOf(shape)]);
    const judged = judgedHeads(
      scope.forInference(),
      featuresOfRows(rows, shape),
      labelInputs(batch, codec),
      settings,
      codec,
    );
    const outputs = { masses: judged.heads.masses, loss: judged.loss };
    const program = await compile(
      { outputs },
      { variables: training.variables, ...threadsFor(scope.parameters) },
    );
    return new Judge(program, training, photos, settings, codec);
  }

  /** Weighted R² of the masses, and the mean loss of the photos. */
  async validate(): Promise<Validation> {
    const batch = rowsAtOnce(this.#rows.columns);
    const free = new Float32Array(this.#rows.count * 5);
    let lossSum = 0;
    for (const [index, items] of inBatches(this.#rows.count, batch).entries()) {
      const feeds = {
        features: this.#rows.take(items, batch),
        ...labelFeeds(this.#photos, items, batch, this.#codec),
      };
      const substitute = this.#training.averages;
      const { masses, loss } = await this.#program.run(feeds, { substitute });
      free.set(masses?.values.subarray(0, items.length * 5) as Float32Array, index * batch * 5);
      lossSum += Number(loss?.values[0]) * items.length;
    }
    return {
      score: weightedR2(this.#photos.targets, physicalMasses(free, this.#settings.architecture)),
      loss: lossSum / this.#rows.count,
    };
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}
