import type { SwardError } from '../ground/errors.ts';
import type { Progress } from '../ground/progress.ts';
import type { FittedModel } from '../learning/estimator.ts';
import type { CountsBySet } from '../pasture/covariates.ts';
import type { ByMass } from '../pasture/targets.ts';
import type { UsedFeatureSet } from '../samples/photo-reader.ts';
import type { Samples } from '../samples/samples.ts';
import type { Tensor } from '../tensor/index.ts';
import type { MassMap } from '../vision/biomass-map/index.ts';
import type { Crop } from '../vision/framing/index.ts';
import type { Calibration, StoredCalibration } from './calibration.ts';
import type { RunCovariate } from './covariates.ts';
import type { StoredDomain } from './domain/index.ts';
import type { AboutRun, ManifestKind, TrainedManifest } from './manifest.ts';
import type { PhotoPrediction } from './prediction.ts';
import type { RunResults } from './results.ts';

/** Turns of a photo that predictions are averaged over: none, mirror images, or the whole group of the square. */
export const TEST_TIME_TURNS = { none: [0], flips: [0, 1, 2], d4: [0, 1, 2, 3, 4, 5, 6, 7] } as const;

/**
 * What of an open run stays in memory after a prediction: everything, nothing, or (`inputs`) the frozen backbones that
 * make its features, but not networks that folds have of their own, of which one is open at a time.
 */
export type KeepLoaded = boolean | 'inputs';

/** The State a photo was taken in, where it is known. */
export type PhotoStates = (imageId: string) => string | null;

/** What is asked for besides the masses, and how. */
export interface PredictOptions {
  readonly progress?: Progress;
  /** Told of each photo that cannot be used, which is then left out; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
  /** Turns of each photo that predictions are averaged over; default none. */
  readonly tta?: keyof typeof TEST_TIME_TURNS;
  /** Adds the spread over this many predictions with dropout left on. */
  readonly dropoutSamples?: number;
  /** The samples asked about before these, elsewhere: what dropout leaves out is drawn for all in turn. */
  readonly dropoutFirst?: CountsBySet;
  /** States of the photos, for ensembles with a rule that needs them. */
  readonly states?: PhotoStates;
  /** What of each photo counts, null all of it; default what did in training. */
  readonly crop?: Crop | null;
  /** Whether it is wanted how unlike the training photos each is, which may need its descriptors; default true. */
  readonly outOfDomain?: boolean;
}

/** What a run can be asked. What is denied throws a UsageError that says why. */
export interface RunCapabilities {
  /** What it predicts from; null: it predicts nothing. */
  readonly predictsFrom: 'photos' | 'features' | null;
  /** Whether dropout can be left on. */
  readonly dropout: boolean;
  /** Whether it says where in a photo the mass is. */
  readonly maps: boolean;
  /** Whether it can be exported as a model. */
  readonly graph: boolean;
  /** Whether its models have backbones of their own, so that photos take long and much memory. */
  readonly ownBackbones: boolean;
  /** Whether it has out-of-fold predictions to report on. */
  readonly results: boolean;
  /** The masses it predicts: those that were measured of photos it was trained on; of others it says NaN. */
  readonly masses: ByMass<boolean>;
}

/** A trained run with the models of its folds. */
export interface RunMember {
  readonly folder: string;
  readonly manifest: TrainedManifest;
  /** The feature sets it was trained on; files of weights where they lie now. */
  readonly sets: readonly UsedFeatureSet[];
  /** The model of each fold. @throws InputError when one cannot be read */
  models(): Promise<readonly FittedModel[]>;
  /** What photos unlike its training photos are told by; null where it keeps no record. */
  domain(): Promise<StoredDomain | null>;
  /** SHA-256 of the photos it was trained on; null where it does not know. */
  trainingPhotos(): Promise<ReadonlySet<string> | null>;
}

/**
 * What the graphs of a run may begin with: `photos`, through backbones that are graphs themselves, or `inputs`, some of
 * which sward's own code makes of photos (descriptors, photos laid on their side).
 */
export type GraphStart = 'photos' | 'inputs';

/** Everything a run computes, as graphs. */
export interface RunGraph {
  /** The trained runs that have a part in it, with their weight for every target, as `TARGET_NAMES`. */
  readonly members: readonly { readonly run: RunMember; readonly weights: readonly number[] }[];
  /** Post-processing of the weighted sum, `[1, 5]` to `[1, 5]` grams. */
  readonly finish: ((masses: Tensor) => Tensor) | null;
  readonly fingerprint: string;
}

/**
 * A run folder that was opened: a trained run (its networks may have been imported), an ensemble, or a pretrained
 * backbone. What was loaded stays, so that a second prediction costs inference alone, until it is disposed of (or goes
 * out of the scope of `using`).
 */
export interface Run extends AsyncDisposable, Disposable {
  readonly folder: string;
  readonly kind: ManifestKind;
  /** What a report calls it. */
  readonly name: string;
  readonly fingerprint: string;
  /** Area of the frame that its masses stand on, m². */
  readonly areaSquareMetres: number;
  /** What of photos counts where nothing else is said; null: all, or it reads no photos, or members differ. */
  readonly crop: Crop | null;
  /** What is told of a run that was passed on; null of others. */
  readonly about: AboutRun | null;
  /** What was measured beside its photos and it reads where it is known; none: it reads photos alone. */
  readonly covariates: readonly RunCovariate[];
  capabilities(): Promise<RunCapabilities>;
  /**
   * Makes sure that samples and options are of the kind that the run answers, before any photo is read.
   *
   * @throws UsageError and InputError as {@link predict}
   */
  requireAnswers(samples: Samples, options?: PredictOptions): Promise<void>;
  /**
   * Masses of photos or rows of features, grams a quadrat, one record each.
   *
   * @throws InputError when a photo cannot be used, unless `onUnusable` is given
   * @throws UsageError when the run predicts from something else
   * @throws SwardError naming photo and member where a mass would not be finite
   */
  predict(samples: Samples, options?: PredictOptions): Promise<PhotoPrediction[]>;
  /** How far its predictions err, for intervals. @throws InputError when a file of it is missing or damaged */
  calibration(): Promise<Calibration>;
  /** The same as it is passed on to who has not the run's data. @throws as {@link calibration} */
  storedCalibration(): Promise<StoredCalibration>;
  /**
   * Everything a report shows.
   *
   * @throws InputError when one of its files is missing or damaged
   * @throws UsageError where the run was passed on without its data
   */
  results(): Promise<RunResults>;
  /**
   * @param start what the graph may begin with; default photos alone
   * @throws UsageError when it cannot be written as one
   */
  graph(start?: GraphStart): Promise<RunGraph>;
  /** Where in each photo the mass is, the mean over the fold models. */
  maps(samples: Samples, options?: Pick<PredictOptions, 'crop'>): Promise<MassMap[]>;
  dispose(): Promise<void>;
}
