import type { MetricLine } from '../learning/estimator.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import type { Score } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import type { LearningBySessions } from './learning-by-sessions.ts';
import type { PseudoRecord } from './pseudo-record.ts';
import type { CaseScores, EnsembleFacts, StateScores } from './scores.ts';

/** One training photo with what was measured, what the out-of-fold model said, and its session. */
export interface OutOfFoldRow {
  readonly imageId: string;
  /** Absolute path of the photo, or null when training used a feature file only. */
  readonly photoPath: string | null;
  readonly fold: number;
  /** Photos of one visit, which err together. */
  readonly session: string;
  readonly observed: Targets;
  readonly predicted: Targets;
  /** ISO date `2015-09-04`, or null where unknown. */
  readonly date: string | null;
  readonly state: string | null;
  readonly species: string | null;
  /** Of a run with covariates: those that the model read of this photo; none: the photo alone. */
  readonly covariates?: CovariateSet;
}

/** What a run with covariates says where it reads one set of them, or the photos alone. */
export interface CaseResults extends CaseScores {
  /** The photos that have all of the set. */
  readonly rows: readonly OutOfFoldRow[];
}

/** How much each column of the input moves predictions of Total. */
export interface ColumnEffects {
  /** The largest first; the mean size of a column's Shapley value, grams. */
  readonly effects: readonly { readonly column: string; readonly meanAbsolute: number }[];
  /** How many of them are to be drawn. */
  readonly shown: number;
  /** Photos that the effects are means of. */
  readonly photos: number;
}

/** Everything a report shows, read back from a run folder or handed over by the trainer. */
export interface RunResults {
  readonly recipeName: string;
  /**
   * Score of all out-of-fold predictions pooled; of a run with covariates, of those that read all of them (see
   * `cases`).
   */
  readonly outOfFold: Score;
  /** Score of each fold's held-out photos, by fold number. */
  readonly perFold: readonly { readonly fold: number; readonly score: Score }[];
  /** Score when one State at a time is held out, when it was computed. */
  readonly leaveOneStateOut: StateScores | null;
  /** Of every photo; of a run with covariates by the most that is known of it. */
  readonly rows: readonly OutOfFoldRow[];
  /** Of a run with covariates: what it says with each set of them, the largest first, and last without any. */
  readonly cases?: readonly CaseResults[] | null;
  /** Training curves by fold; empty lists where the estimator has none. */
  readonly curves: readonly { readonly fold: number; readonly lines: readonly MetricLine[] }[];
  /** Rounds of self-training, where the run is the last of them. */
  readonly pseudo?: PseudoRecord | null;
  /** Score by number of training sessions, where it was asked for. */
  readonly bySessions?: LearningBySessions | null;
  /** How members were combined, where the run is an ensemble; its scores are then nested ones. */
  readonly ensemble?: EnsembleFacts | null;
  /** What predictions are made of, where that was asked for. */
  readonly columnEffects?: ColumnEffects | null;
  /** Area of the frame that masses stand on, m²; default that of the competition's quadrat. */
  readonly areaSquareMetres?: number;
  /** The recipe as resolved, for the settings table. */
  readonly settings: unknown;
  /** Data fingerprint, versions, seed and the like, shown as a table: label → value. */
  readonly provenance: Readonly<Record<string, string>>;
}
