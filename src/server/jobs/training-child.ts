import { configure } from '../../ground/environment.ts';
import { trainRun } from '../../workflows/index.ts';
import { serveTasks } from '../children/serve-tasks.ts';
import type { TrainingNews, TrainingTask } from './training-task.ts';

/** A process that trains a run on a farm's own cuts, and goes on with what one before it has left. */
serveTasks<TrainingTask, null, TrainingNews>(async ({ data, out, seed, cache }, tell) => {
  configure({ cacheFolder: cache });
  await trainRun({
    source: data,
    out,
    plan: { seed },
    resume: true,
    progress: {
      stage: (title, total) => tell({ kind: 'stage', title, total }),
      advance: (steps = 1, remark = '') => tell({ kind: 'advance', steps, remark }),
      done() {},
    },
  });
  return null;
});
