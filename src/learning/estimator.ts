import { UsageError } from '../ground/errors.ts';
import type { FeatureSet } from '../ground/matrix.ts';
import type { RandomStream } from '../ground/random.ts';
import type { CountsBySet, CovariateSet } from '../pasture/covariates.ts';
import { type ByMass, byMass, type Targets } from '../pasture/targets.ts';
import type { Samples, Split, TrainingSamples } from '../samples/samples.ts';
import type { Tensor } from '../tensor/index.ts';
import type { MassMap } from '../vision/biomass-map/index.ts';

/** One line of a fold's `metrics.jsonl`: named numbers of an epoch or of a tried setting. */
export type MetricLine = Readonly<Record<string, number>>;

/** A metric line of one part of a model; what lines are counted by keeps its name. */
export function relabelled(line: MetricLine, label: string): MetricLine {
  return Object.fromEntries(
    Object.entries(line).map(([key, value]) => [
      key === 'penalty' || key === 'epoch' ? key : `${key}, ${label}`,
      value,
    ]),
  );
}

/** What fitting may use besides the data. */
export interface FitContext {
  readonly random: RandomStream;
  /** Receives a line an epoch, or a line a tried setting. */
  readonly record: (line: MetricLine) => void;
  /** Told what share of the fit is done, from 0 to 1, where that is known on the way. */
  readonly onProgress?: (share: number) => void;
  /** Folder of this fit's own for state that lets it go on after a kill; absent: nothing is kept. */
  readonly checkpointFolder?: string;
  /**
   * Of a network of several members the one to be trained, into the checkpoint folder, from where a fit of all goes on;
   * the model that comes back has no others.
   */
  readonly member?: number;
}

/** What a model can do besides predicting. */
export interface Capabilities {
  /** Dropout can be left on (`sampleDropout`). */
  readonly dropout: boolean;
  /** It says what it would predict had a session been left out of training (`leaveSessionsOut`). */
  readonly sessionsOut: boolean;
  /** What it computes can be written as a graph (`graph`). */
  readonly graph: boolean;
  /** It says where in a photo the mass is (`maps`). */
  readonly maps: boolean;
}

/** What a model computes, as a graph. */
export interface ModelGraph {
  /**
   * @param features `[batch, features]` floating
   * @param covariates `[batch, covariates]` floating, those that the model was shown, on the scale that models read; of a
   *   model that has {@link FittedModel.covariateSets} all of the run's as they were measured, NaN where they were not
   * @returns `[batch, 5]` floating, physical masses in grams, in the order of `TARGET_NAMES`
   * @throws UsageError when this model cannot be written as one
   */
  masses(features: Tensor, covariates?: Tensor): Tensor;
  /**
   * The model's own backbone, whose features {@link masses} then reads instead of those of the recipe's input; null
   * where it has none.
   *
   * @param views `[views, 3, size, size]`, normalised
   * @returns `[views, width]`
   */
  readonly viewFeatures: ((views: Tensor) => Tensor) | null;
  /**
   * Backbones of further models in this one: features then come once by each backbone, one after another, each time
   * with those of the recipe's other feature sets; where no readings are fed, by the first alone.
   */
  readonly furtherViewFeatures?: readonly ((views: Tensor) => Tensor)[];
}

/** A trained model. What {@link capabilities} deny throws a UsageError. */
export interface FittedModel {
  readonly capabilities: Capabilities;
  /** The masses that it was taught; of others it predicts NaN. */
  readonly predicts: ByMass<boolean>;
  /**
   * The sets of covariates that it has models for, the largest first: of a sample that has all readings of one it answers
   * by that, of others by the photo alone. None: it reads none, or has been shown what it reads.
   */
  readonly covariateSets: readonly CovariateSet[];
  /** Physical masses, grams, one a sample in their order. */
  predict(samples: Samples): Promise<Targets[]>;
  /**
   * Several predictions with dropout left on (Gal & Ghahramani 2016).
   *
   * @param first how many samples were asked about before these, by the same stream; default none
   * @returns `[draw][sample]`
   */
  sampleDropout(
    samples: Samples,
    draws: number,
    random: RandomStream,
    first?: CountsBySet,
  ): Promise<Targets[][]>;
  /**
   * What a model just fitted, its settings kept, would predict of each training sample had the sample's session been
   * left out, in closed form.
   */
  leaveSessionsOut(): Targets[];
  /** @param under what names of its weights begin with, where several models stand in one graph */
  graph(under?: string): ModelGraph;
  /** Masses of the patches of each photo. */
  maps(samples: Samples): Promise<MassMap[]>;
  /** Writes everything prediction needs into an existing folder. */
  write(folder: string): Promise<void>;
  /** Gives back memory outside of JavaScript; the model may still be used. */
  release(): Promise<void>;
}

/** What a kind of model can do: predicting and writing, and whatever else is given. */
type ModelParts = Pick<FittedModel, 'predict' | 'write'> & Partial<Omit<FittedModel, 'capabilities'>>;

/** What a model predicts that was taught all masses. */
export const ALL_MASSES: ByMass<boolean> = byMass(() => true);

/** A model that can do what is given; everything else it refuses. */
export function fittedModel(parts: ModelParts): FittedModel {
  const { sampleDropout, leaveSessionsOut, graph, maps } = parts;
  const refuse = (what: string) => (): never => {
    throw new UsageError(`this model ${what}`);
  };
  const reject = (what: string) => (): Promise<never> => Promise.reject(new UsageError(`this model ${what}`));
  return {
    capabilities: {
      dropout: sampleDropout !== undefined,
      sessionsOut: leaveSessionsOut !== undefined,
      graph: graph !== undefined,
      maps: maps !== undefined,
    },
    sampleDropout: reject('has no dropout to leave on'),
    leaveSessionsOut: refuse('cannot leave sessions out in closed form'),
    graph: refuse('cannot be written as an ONNX model'),
    maps: reject('does not say where in a photo the mass is'),
    release: async () => {},
    predicts: ALL_MASSES,
    covariateSets: [],
    ...parts,
  };
}

/** How a model that wraps another differs from it. */
interface Wrapping {
  /** What the inner model is shown. */
  readonly samples?: (samples: Samples) => Samples;
  /** What becomes of the inner model's masses. */
  readonly masses?: (masses: Targets) => Targets;
  readonly graph: (inner: ModelGraph) => ModelGraph;
  /** Whether {@link FittedModel.leaveSessionsOut} of the inner model stands for the wrapping one. */
  readonly sessionsOut?: boolean;
  readonly write: (folder: string) => Promise<void>;
}

/** A model around another: it can do what the inner one can, but for maps, which a change of features takes away. */
export function wrappedModel(inner: FittedModel, wrapping: Wrapping): FittedModel {
  const { samples: shown = (asked) => asked, masses = (said) => said } = wrapping;
  const { capabilities } = inner;
  return fittedModel({
    predict: async (asked) => (await inner.predict(shown(asked))).map(masses),
    ...(capabilities.dropout && {
      sampleDropout: async (asked, draws, random, first) =>
        (await inner.sampleDropout(shown(asked), draws, random, first)).map((draw) => draw.map(masses)),
    }),
    ...(capabilities.graph && { graph: (under) => wrapping.graph(inner.graph(under)) }),
    ...(capabilities.sessionsOut &&
      wrapping.sessionsOut && { leaveSessionsOut: () => inner.leaveSessionsOut() }),
    write: wrapping.write,
    release: () => inner.release(),
  });
}

/** A way to learn masses; every model of sward, from ridge to networks, is one. */
export interface Estimator {
  /** What its models are shown in prediction. */
  readonly predictsFrom: 'features' | 'photos';
  /** Whether its loss passes over masses that were not measured (NaN); others are given all masses of every sample. */
  readonly passesGaps: boolean;
  /**
   * Finds what of labels, sessions and the width of features does not suit the settings, before any feature is made.
   *
   * @param train what a model would be fitted to; its features are not asked for
   * @param sets the feature sets that it will have
   * @throws UsageError or InputError as a fit would
   */
  requireData(train: TrainingSamples, sets: readonly FeatureSet[]): Promise<void>;
  /**
   * Finds now what could not work later (weights that are missing, settings that do not suit a backbone), and makes
   * the features that fitting these samples will ask for.
   */
  prepare(samples: Samples): Promise<void>;
  /** @throws InputError or UsageError when the data cannot be fitted */
  fit(split: Split, context: FitContext): Promise<FittedModel>;
  /** Reads back what {@link FittedModel.write} wrote. @throws InputError when it cannot be read */
  read(folder: string): Promise<FittedModel>;
  /** Gives back memory outside of JavaScript that fits keep for those after them; it may still be used. */
  release(): Promise<void>;
}

/** An estimator of rows of features; without `requireData` it suits all that has features. */
export function rowEstimator(
  parts: Pick<Estimator, 'fit' | 'read'> & Partial<Pick<Estimator, 'requireData' | 'passesGaps'>>,
): Estimator {
  return {
    predictsFrom: 'features',
    passesGaps: false,
    requireData: async () => {},
    release: async () => {},
    async prepare(samples) {
      await samples.features();
    },
    ...parts,
  };
}
