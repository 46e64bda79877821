import type { RandomStream } from '../ground/random.ts';
import type { Targets } from '../pasture/targets.ts';
import type { Tensor } from '../tensor/index.ts';

/** One line of a fold's `metrics.jsonl`: named numbers of an epoch or of a tried setting. */
export type MetricLine = Readonly<Record<string, number>>;

/** What is known of a training photo besides its masses; null where the labels do not say. */
export interface PhotoAttributes {
  readonly state: string | null;
  readonly species: string | null;
  /** Pre-grazing NDVI. */
  readonly ndvi: number | null;
  readonly heightCentimetres: number | null;
  /** ISO date of sampling. */
  readonly date?: string | null;
}

/**
 * What an estimator learns from. `Input` holds the inputs of all photos in one value (a feature matrix, a
 * list of photos); item i of `targets` and `groups` belongs to its i-th photo.
 */
export interface TrainingSet<Input> {
  readonly inputs: Input;
  /** Measured masses, grams. */
  readonly targets: readonly Targets[];
  /** Sessions, which inner validation must not split. */
  readonly groups: readonly string[];
  /** How much each photo counts in fitting; all the same where absent. Pseudo-labelled photos count less. */
  readonly weights?: readonly number[];
  /** For auxiliary heads, and for teachers that see more than the photo. */
  readonly attributes?: readonly PhotoAttributes[];
  /**
   * The photos held out of this fold. Never to be learnt from; an estimator may be asked to choose its
   * checkpoint by them, as competitors do, which makes the fold's score optimistic.
   */
  readonly validation?: { readonly inputs: Input; readonly targets: readonly Targets[] };
}

/** What fitting may use besides the data. */
export interface FitContext {
  readonly random: RandomStream;
  /** Receives a line an epoch, or a line a tried setting. */
  readonly record: (line: MetricLine) => void;
  /** Told what share of the fit is done, from 0 to 1, where that is known on the way. */
  readonly reached?: (share: number) => void;
  /** Folder of this fit's own for state that lets it go on after a kill; absent: nothing is kept. */
  readonly checkpointFolder?: string;
}

/** A trained model. */
export interface FittedModel<Input> {
  /** Physical masses, grams, one a photo in the order of the inputs. */
  predict(inputs: Input): Promise<Targets[]>;
  /**
   * Several predictions with dropout left on (Gal & Ghahramani 2016); absent in models without dropout.
   *
   * @returns `[sample][photo]`
   */
  predictSamples?(inputs: Input, samples: number, random: RandomStream): Promise<Targets[][]>;
  /**
   * What a model just fitted, its settings kept, would predict of each training photo had the photo's session been
   * left out; absent where that has no closed form, and in models that were read back.
   */
  leaveSessionsOut?(): Targets[];
  /**
   * What {@link predict} computes of a feature matrix, as a graph; absent where there is none.
   *
   * @param features `[batch, features]` float64
   * @returns `[batch, 5]` floating, physical masses in grams, in the order of `TARGET_NAMES`
   * @throws UsageError when this model cannot be written as one
   */
  graph?(features: Tensor): Tensor;
  /**
   * The model's own backbone as a graph, where it has one: {@link graph} then reads its features instead of those of
   * the recipe's input.
   *
   * @param views `[views, 3, size, size]`, normalised
   * @returns `[views, width]`
   */
  viewFeatures?(views: Tensor): Tensor;
  /** Writes everything prediction needs into an existing folder. */
  write(folder: string): Promise<void>;
  /** Gives back memory outside of JavaScript; the model may still be used. Absent where it holds none. */
  close?(): Promise<void>;
}

/** A way to learn masses from inputs; every model of sward, from ridge to networks, is one. */
export interface Estimator<Input> {
  /** @throws InputError or UsageError when the data cannot be fitted */
  fit(training: TrainingSet<Input>, context: FitContext): Promise<FittedModel<Input>>;
  /** Reads back what {@link FittedModel.write} wrote. @throws InputError when it cannot be read */
  read(folder: string): Promise<FittedModel<Input>>;
}
