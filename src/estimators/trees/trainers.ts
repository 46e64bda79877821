import { availableParallelism } from 'node:os';
import { InputError, ShapeError, SwardError, UsageError } from '../../ground/errors.ts';
import { startWorkers } from '../../ground/worker-pool.ts';
import { type Answer, type Failure, type Trained, type TrainingTask, train } from './training-worker.ts';

/** Trains trees, in this thread or another; the same task gives the same trees wherever it runs. */
export type Train = <Task extends TrainingTask>(task: Task) => Promise<Trained<Task>>;

/** How much there is to train. */
export interface TrainingWork {
  /** Trainings in all, or somewhat more. */
  readonly trainings: number;
  /** Trainings that need not wait for one another. */
  readonly atOnce: number;
  /** Values looked at: rows × columns drawn × levels × trees, over all trainings. */
  readonly values: number;
}

/**
 * Values from which threads are worth their start: one to two seconds of training. Each takes 0.25 s of its
 * processor to start and to compile the code once more.
 */
export const THREADS_PAY_FROM = 2e8;

/**
 * Gives `use` what trains: worker threads, one a processor at most, or this thread where nothing is built, there
 * is one processor only, or the work is little. The threads are ended whatever happens.
 *
 * @param payFrom values from which threads are used
 * @param onProgress told what share of the trainings is done; see `FitContext`
 */
export async function withTrainers<Result>(
  { trainings, atOnce, values }: TrainingWork,
  payFrom: number,
  use: (train: Train) => Promise<Result>,
  onProgress: (share: number) => void = () => {},
): Promise<Result> {
  let done = 0;
  const counted = <Trees>(trees: Trees): Trees => {
    done += 1;
    onProgress(Math.min(1, done / trainings));
    return trees;
  };
  const threads = values < payFrom ? 1 : Math.min(availableParallelism(), atOnce);
  const workers =
    threads > 1 ? startWorkers<TrainingTask, Answer>(import.meta.url, 'training-worker', threads) : undefined;
  if (!workers) return use(async (task) => counted(train(task)));
  try {
    return await use(async <Task extends TrainingTask>(task: Task) => {
      const answer = await workers.run(task);
      if ('failure' in answer) throw thrown(answer.failure);
      return counted(answer.trained as Trained<Task>);
    });
  } finally {
    await workers.close();
  }
}

/** The error that was thrown in a thread. */
function thrown({ name, parts: [first = '', what = '', remedy = ''] }: Failure): SwardError {
  if (name === 'InputError') return new InputError(first, what, remedy);
  if (name === 'UsageError') return new UsageError(first);
  return name === 'ShapeError' ? new ShapeError(first) : new SwardError(first);
}
