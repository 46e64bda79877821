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
  /** Of their totals when left out in turn; kg DM/ha. */
  readonly score: Omit<OutOfFoldScore, 'cuts' | 'visits'>;
}

/** How training goes. */
export type TrainingNews =
  | { readonly kind: 'stage'; readonly title: string; readonly total: number }
  | { readonly kind: 'advance'; readonly steps: number; readonly remark: string };
