import { join } from 'node:path';
import { z } from 'zod';
import type { FoldRow } from '../data/folds/index.ts';
import { InputError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import type { Progress } from '../ground/progress.ts';
import { randomStream } from '../ground/random.ts';
import { mean } from '../ground/statistics.ts';
import { readTextIfThere, reasonOf } from '../ground/whole-file.ts';
import { weightedR2 } from '../pasture/metric.ts';
import { knownWhere } from '../pasture/partial.ts';
import type { Targets } from '../pasture/targets.ts';
import { fitFold, type Learner, predictFold } from './cross-validation.ts';

export const LEARNING_CURVE = 'learning-curve.json';

/** Parts of the training sessions that are trained on. */
const SHARES = [0.25, 0.5, 0.75, 1] as const;

/** Draws of sessions for each part; the whole needs one. */
const REPEATS = 3;

/** Fewer leave nothing for an estimator's own validation. */
const FEWEST_SESSIONS = 2;

const schema = z.array(
  z.strictObject({
    share: z.number(),
    /** Sessions and photos trained on, means over folds and draws. */
    sessions: z.number(),
    photos: z.number(),
    /** Weighted R² of all folds' held-out photos pooled, one a draw. */
    weighted_r2: z.array(z.number()).min(1),
  }),
);

/** Score by number of training sessions. */
export type LearningBySessions = z.output<typeof schema>;

/**
 * The learning curve by number of sessions: every fold is predicted by models trained on a quarter, a half, three
 * quarters and all of the sessions outside it. Sessions are drawn, not photos, since photos of one session tell
 * nearly the same. Within a draw a larger part contains the smaller one.
 */
export async function learnBySessions(
  learner: Learner,
  rows: readonly FoldRow[],
  seed: number,
  progress: Progress,
): Promise<LearningBySessions> {
  const random = randomStream(seed).fork('learning curve');
  const points: LearningBySessions = [];
  progress.stage('Learning curve', (SHARES.length - 1) * REPEATS + 1, 'trainings');
  for (const share of SHARES) {
    const trained: { sessions: number; photos: number }[] = [];
    const scores: number[] = [];
    for (let draw = 0; draw < (share === 1 ? 1 : REPEATS); draw++) {
      const predicted = new Array<Targets>(rows.length);
      for (const fold of new Set(rows.map((row) => row.fold))) {
        const outside = [...new Set(rows.filter((row) => row.fold !== fold).map((row) => row.group))];
        const order = random.fork(draw).fork(fold).shuffled(outside);
        const kept = new Set(order.slice(0, Math.max(FEWEST_SESSIONS, Math.round(share * outside.length))));
        const items = rows
          .map((_, item) => item)
          .filter((item) => rows[item]?.fold === fold || kept.has(rows[item]?.group ?? ''));
        await predictHeldOut(learner, rows, items, fold, seed, predicted);
        const photos = items.filter((item) => rows[item]?.fold !== fold).length;
        trained.push({ sessions: kept.size, photos });
      }
      // Of few sessions a mass may not have been measured at all.
      const observed = predicted.map((said, row) =>
        knownWhere(learner.samples.targets[row] as Targets, said),
      );
      scores.push(weightedR2(observed, predicted));
      progress.advance(1, `${Math.round(100 * share)} % R² ${scores.at(-1)?.toFixed(3)}`);
    }
    points.push({
      share,
      sessions: mean(trained.map(({ sessions }) => sessions)),
      photos: mean(trained.map(({ photos }) => photos)),
      weighted_r2: scores,
    });
  }
  progress.done();
  return points;
}

/** Trains on the items outside `fold` and predicts those in it into their places of `into`. */
async function predictHeldOut(
  learner: Learner,
  rows: readonly FoldRow[],
  items: readonly number[],
  fold: number,
  seed: number,
  into: Targets[],
): Promise<void> {
  const reduced = { ...learner, samples: learner.samples.take(items) };
  const folds = items.map((item) => rows[item]?.fold ?? 0);
  const { model } = await fitFold(reduced, folds, fold, randomStream(seed));
  const predicted = new Array<Targets>(items.length);
  await predictFold(model, reduced.samples, folds, fold, predicted);
  await model.release();
  items.forEach((item, row) => {
    if (folds[row] === fold) into[item] = predicted[row] as Targets;
  });
}

/** Writes `learning-curve.json` into a run. */
export async function writeLearningBySessions(run: string, points: LearningBySessions): Promise<void> {
  await writeFileAtomically(join(run, LEARNING_CURVE), `${JSON.stringify(points, null, 2)}\n`);
}

/** @returns null where the run has no learning curve @throws InputError when the file is damaged */
export async function readLearningBySessions(run: string): Promise<LearningBySessions | null> {
  const path = join(run, LEARNING_CURVE);
  const text = await readTextIfThere(path);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const what = `cannot be read (${reasonOf(error)})`;
    throw new InputError(path, what, 'train again with --learning-curve');
  }
}
