import { join } from 'node:path';
import { SILENT } from '../ground/progress.ts';
import { DEFAULT_FOLD_PLAN, planFolds } from '../runs/fold-plan.ts';
import {
  learnBySessions,
  readLearningBySessions,
  writeLearningBySessions,
} from '../runs/learning-by-sessions.ts';
import type { RunResults } from '../runs/results.ts';
import { readRunResults } from '../runs/run-results.ts';
import { readTrainingData } from '../runs/training-data.ts';
import { measuredLearner, type TrainOptions, trainRun } from './train.ts';

/**
 * Trains as `trainRun` and adds the learning curve by number of sessions to the run (`learning-curve.json` and a
 * figure in the report), unless it is there already.
 *
 * @throws as `trainRun`
 */
export async function trainWithLearningCurve(options: TrainOptions): Promise<RunResults> {
  const { source, recipe, out, plan, progress = SILENT } = options;
  const results = await trainRun(options);
  if (await readLearningBySessions(out)) return results;
  const data = await readTrainingData(source, recipe, progress);
  const folds = { ...DEFAULT_FOLD_PLAN, ...plan };
  const rows = await planFolds(data.labels, folds);
  const learner = measuredLearner(data, rows, recipe);
  await writeLearningBySessions(out, await learnBySessions(learner, rows, folds.seed, progress));
  const complete = await readRunResults(out);
  // Plots bring a DOM along, which most commands should not have to load.
  const { writeReport } = await import('../report/index.ts');
  await writeReport(join(out, 'report.html'), complete);
  return complete;
}
