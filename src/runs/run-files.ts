import { CALIBRATION } from './calibration-file.ts';
import { CASE_FILES, STACK_FOLDERS } from './covariate-cases.ts';
import { DOMAIN } from './domain/index.ts';
import { LEARNING_CURVE } from './learning-by-sessions.ts';
import { STATES_OUT } from './leave-one-state-out.ts';
import { OUT_OF_FOLD } from './out-of-fold.ts';
import { PSEUDO } from './pseudo-record.ts';
import { SCORES } from './scores.ts';
import { TRAINING_PHOTOS } from './training-photos.ts';

/** The report of a run. */
export const REPORT = 'report.html';
/** The card of a run that is passed on. */
export const CARD = 'card.md';

const RESULTS: ReadonlySet<string> = new Set([
  ...[OUT_OF_FOLD, STATES_OUT, SCORES, LEARNING_CURVE, PSEUDO, REPORT],
  ...[DOMAIN, TRAINING_PHOTOS, CALIBRATION, CARD],
]);

/** Whether runs, of whatever kind, have a file or folder beside their folds: one may take the place of one of another kind. */
export const isResult = (name: string): boolean =>
  RESULTS.has(name) || CASE_FILES.test(name) || STACK_FOLDERS.test(name);

/** Whether a file of a run is no part of its answers: what people read of it, and locks. */
export const isBesideAnswers = (name: string): boolean => /\.(html|md|lock)$/.test(name);

/** The folders of folds' models, and of what their training goes on from. */
export const FOLD_FOLDERS = /^fold-\d+(\.checkpoint)?$/;
