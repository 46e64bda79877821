/** What a process that trains is given. */
export interface TrainingTask {
  /** Data folder. */
  readonly data: string;
  /** Run folder to write, or to go on with. */
  readonly out: string;
  readonly seed: number;
  readonly cache: string;
}

/** How training goes. */
export type TrainingNews =
  | { readonly kind: 'stage'; readonly title: string; readonly total: number }
  | { readonly kind: 'advance'; readonly steps: number; readonly remark: string };
