import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { configure } from '../../ground/environment.ts';
import { isComplete } from '../../pasture/partial.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { completePlan } from '../../runs/fold-plan.ts';
import { massesOfEveryFold } from '../../runs/masses-of-folds.ts';
import { scoreRows } from '../../runs/scores.ts';
import { readFolds, readLabelledPhotos } from '../../runs/training-data.ts';
import { trainRun } from '../../workflows/index.ts';
import type { Trained, TrainingNews, TrainingTask } from './training-task.ts';

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
const perHectare = (grams: number): number | null =>
  finite(gramsToKilogramsPerHectare(grams, QUADRAT_AREA_SQUARE_METRES));

/** A process that trains a run on a farm's own cuts, and goes on with what one before it has left. */
serveTasks<TrainingTask, Trained, TrainingNews>(async ({ data, out, seed, cache }, tell) => {
  configure({ cacheFolder: cache });
  const folder = { kind: 'folder', folder: data } as const;
  const labels = await readLabelledPhotos(folder);
  const folds = await readFolds(folder, completePlan({ seed }));
  const learn = massesOfEveryFold(labels, folds);
  const { rows } = await trainRun({
    source: { ...folder, ...(learn.length < MASS_NAMES.length && { learn }) },
    out,
    plan: { seed },
    resume: true,
    progress: {
      stage: (title, total) => tell({ kind: 'stage', title, total }),
      advance: (steps = 1, remark = '') => tell({ kind: 'advance', steps, remark }),
      done() {},
    },
  });
  const { r2, rmse, bias } = scoreRows(rows).perTarget.Dry_Total_g;
  return {
    imageIds: rows.map(({ imageId }) => imageId),
    days: new Set(labels.map(({ date }) => date)).size,
    learnt: learn,
    sorted: labels.filter(({ targets }) => isComplete(targets)).length,
    score: { r2: finite(r2), rmse: perHectare(rmse), bias: perHectare(bias) },
  };
});
