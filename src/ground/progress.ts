/** Where long work tells how far it is. The command line draws it; library users may pass their own. */
export interface Progress {
  /** Starts a stage of `total` steps, ending the one before. `unit` names a step (`photos`, `folds`). */
  stage(title: string, total: number, unit: string): void;
  /** Says that `steps` more are done (default 1), with an optional short remark (a score, a file name). */
  advance(steps?: number, remark?: string): void;
  /**
   * Says how the step in progress goes (an epoch's loss), for whoever watches, and how much of it is done, from 0
   * to 1, where that is known; not every note need be shown.
   */
  note?(remark: string, share?: number): void;
  /** Says something that is to stay, a line of its own beside the progress: an epoch's scores, how long it will take. */
  line?(text: string): void;
  /** Ends the current stage. */
  done(): void;
}

/** Progress that nobody watches. */
export const SILENT: Progress = { stage() {}, advance() {}, done() {} };
