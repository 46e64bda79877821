import type { Progress } from '../../ground/progress.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import { statesIn } from '../../runs/leave-one-state-out.ts';
import type { TrainingData } from '../../runs/training-data.ts';

/** What a training consists of, as far as its time goes. */
export interface WorkAhead {
  /** `1 backbone`, or what else photos go through. */
  readonly reading: string;
  /** `5 folds × 20 epochs`, with whatever is trained besides. */
  readonly training: string;
  /** Trainings in all, counted in folds. */
  readonly folds: number;
}

/** Work that takes less is not worth a line, seconds. */
const WORTH_TELLING = 20;

/** A step that takes less was remembered, and says nothing of those that were not, milliseconds. */
const REMEMBERED = 20;

/** How much is looked at before a time is told: photos and their milliseconds, and those of training. */
const LEAST_STEPS = 3;
const LEAST_MILLISECONDS = 2000;
const LEAST_TRAINING_MILLISECONDS = 5000;

/**
 * Progress that says once a stage, in a line that stays, how long the work will take, where that is long: measured on
 * the first photos that are read and the first steps that are trained, so that nothing is done twice for it.
 *
 * @param ahead what the work is; null as long as that is not known
 * @param now milliseconds
 */
export function withTimeEstimates(
  progress: Progress,
  ahead: () => WorkAhead | null,
  now: () => number = Date.now,
): Progress {
  let unit = '';
  let [total, done, last] = [0, 0, 0];
  /** When what is measured began, and how much was done by then; null: not yet. */
  let since: { readonly at: number; readonly done: number } | null = null;
  let isTold = false;
  const tell = (left: number, what: string): void => {
    isTold = true;
    if (left >= WORTH_TELLING) progress.line?.(`about ${timeText(left)} for ${what}`);
  };
  const readPhotos = (work: WorkAhead): void => {
    const at = now();
    const isRemembered = at - last < REMEMBERED;
    last = at;
    if (since === null) {
      if (!isRemembered) since = { at, done };
      return;
    }
    const [steps, elapsed] = [done - since.done, at - since.at];
    if (steps < LEAST_STEPS || elapsed < LEAST_MILLISECONDS) return;
    const seconds = elapsed / 1000 / steps;
    const what = `${total} photos × ${work.reading} (${secondsText(seconds)} a photo)`;
    tell((total - done) * seconds, `${what}; then ${work.training}, whose time the first steps will tell`);
  };
  const trained = (work: WorkAhead, share: number): void => {
    const at = now();
    since ??= { at, done: share };
    const [part, elapsed] = [share - since.done, at - since.at];
    if (part <= 0 || elapsed < LEAST_TRAINING_MILLISECONDS) return;
    const seconds = elapsed / 1000 / part;
    tell((work.folds - share) * seconds, `${work.training} (${timeText(seconds)} a fold)`);
  };
  return {
    stage(title, count, name) {
      [unit, total, done, last, since, isTold] = [name, count, 0, now(), null, false];
      progress.stage(title, count, name);
    },
    advance(steps = 1, remark = '') {
      done += steps;
      progress.advance(steps, remark);
      const work = ahead();
      if (!isTold && work && unit === 'photos') readPhotos(work);
      if (!isTold && work && unit === 'folds') trained(work, done);
    },
    note(remark, share) {
      progress.note?.(remark, share);
      const work = ahead();
      if (!isTold && work && unit === 'folds' && share !== undefined) trained(work, done + share);
    },
    line: (text) => progress.line?.(text),
    done: () => progress.done(),
  };
}

/** Trainings of a learning curve, counted in trainings on everything. */
const CURVE_FOLDS = 5.5;

/** What a recipe on some data consists of. */
export function workAhead(
  { input, estimator, evaluation }: Recipe,
  { rows, labels }: Pick<TrainingData, 'rows' | 'labels'>,
  withCurve: boolean,
): WorkAhead {
  const folds = Math.max(...rows.map(({ fold }) => fold)) + 1;
  const named = evaluation.leaveOneStateOut ? statesIn(labels.map(({ state }) => state)).length : 0;
  const states = named > 1 ? named : 0;
  const epochs =
    estimator.kind === 'network'
      ? ` × ${estimator.members * estimator.epochs + estimator.fineTune.headEpochs} epochs`
      : '';
  return {
    reading: input.kind === 'descriptors' ? 'their descriptors' : '1 backbone',
    training: [
      `${folds} folds${epochs}`,
      ...(states > 0 ? [`${states} States held out`] : []),
      ...(withCurve ? ['a learning curve'] : []),
    ].join(' and '),
    folds: folds + states + (withCurve ? CURVE_FOLDS * folds : 0),
  };
}

const secondsText = (seconds: number): string => `${Number(seconds.toPrecision(2))} s`;

function timeText(seconds: number): string {
  if (seconds < 10) return secondsText(seconds);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
