import type { MassName } from '../../pasture/targets.ts';
import type { OutOfFoldScore } from './job.ts';

/** What a process that trains is given. */
export interface TrainingTask {
  /** Data folder. */
  readonly data: string;
  /** Run folder to write, or to go on with. */
  readonly out: string;
  readonly seed: number;
  readonly cache: string;
}

/** What a process that trained says of the run. */
export interface Trained {
  /** Photos that were trained on. */
  readonly imageIds: readonly string[];
  /** Days that these were taken on. */
  readonly days: number;
  /** Masses that every fold could learn. */
  readonly learnt: readonly MassName[];
  /** Photos whose cut was sorted. */
  readonly sorted: number;
  /** Of their totals when left out in turn; kg DM/ha. */
  readonly score: Pick<OutOfFoldScore, 'r2' | 'rmse' | 'bias'>;
}

/** How training goes. */
export type TrainingNews =
  | { readonly kind: 'stage'; readonly title: string; readonly total: number }
  | { readonly kind: 'advance'; readonly steps: number; readonly remark: string };
