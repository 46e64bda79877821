import { availableParallelism } from 'node:os';
import { InputError, ShapeError, SwardError, UsageError } from '../../ground/errors.ts';
import { startWorkers, type WorkerPool } from '../../ground/worker-pool.ts';
import type { BinnedMatrix } from './bins.ts';
import { type ColumnSpace, columnSpace } from './column-space.ts';
import { beginColumns } from './column-team.ts';
import { hasHessians } from './leafwise.ts';
import { unpackTrees } from './packed-trees.ts';
import {
  type Answer,
  type Failure,
  type HelpTask,
  type LeafwiseTask,
  type Trained,
  type TrainingTask,
  train,
} from './training-worker.ts';

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
  /** Values of a tree's first node, rows × columns drawn, where threads may share its columns; absent: they may not. */
  readonly rootValues?: number;
}

/**
 * Values from which threads are worth their start: two thirds of a second of training leaf-wise trees. Each takes 0.15 s
 * of its processor to start and to compile the code once more.
 */
export const THREADS_PAY_FROM = 2e8;

/** Values of a tree's first node from which threads gain by sharing its columns, though they meet at every split. */
export const SHARING_PAYS_FROM = 1e6;

/**
 * Gives `use` what trains: worker threads, one a processor at most, or this thread where nothing is built, there
 * is one processor only, or the work is little. Each thread trains a model of its own, or all of them share the
 * columns of one model after the other where models are large and too few to keep the threads busy to the end. The
 * threads are ended whatever happens.
 *
 * @param payFrom values from which threads are used
 * @param onProgress told what share of the trainings is done; see `FitContext`
 */
export async function withTrainers<Result>(
  { trainings, atOnce, values, rootValues = 0 }: TrainingWork,
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
  const processors = values < payFrom ? 1 : availableParallelism();
  const shares = rootValues >= SHARING_PAYS_FROM && idleShare(atOnce, processors) > MOST_IDLE;
  const threads = shares ? processors : Math.min(processors, atOnce);
  const workers =
    threads > 1
      ? startWorkers<TrainingTask | HelpTask, Answer>(import.meta.url, 'training-worker', threads)
      : undefined;
  if (!workers) return use(async (task) => counted(train(task)));
  const together = shares ? trainTogether(workers, threads) : null;
  try {
    return await use(async <Task extends TrainingTask>(task: Task) => {
      const sent = withoutValues(task);
      const answer = await (together && isBinned(sent) ? together(sent) : workers.run(sent));
      return counted(trainedOf(answer) as Trained<Task>);
    });
  } finally {
    await workers.close();
  }
}

/** A task as a thread needs it: of rows that are binned the values are not read again. */
function withoutValues(task: TrainingTask): TrainingTask {
  if (!isBinned(task)) return task;
  const inputs = { ...task.data.inputs, data: new Float64Array(0) };
  return { ...task, data: { ...task.data, inputs } };
}

/** What a thread has trained. @throws the error it has sent */
function trainedOf(answer: Answer): Trained<TrainingTask> {
  if ('failure' in answer) throw thrown(answer.failure);
  if ('helped' in answer) throw new Error('a thread that was to train has helped');
  if ('trained' in answer) return answer.trained;
  return { ...answer.packed, trees: unpackTrees(answer.packed.trees) };
}

/** Share of the threads' time above which trainings of one thread each leave too much of it unused. */
const MOST_IDLE = 0.15;

/** The share of their time for which threads have nothing to do, the last trainings being fewer than they are. */
const idleShare = (trainings: number, threads: number): number =>
  1 - trainings / (Math.ceil(trainings / threads) * threads);

/** A training whose bins are known, so that threads can share its columns. */
type BinnedTask = LeafwiseTask & { readonly binned: BinnedMatrix };

const isBinned = (task: TrainingTask): task is BinnedTask => task.grower === 'leafwise' && !!task.binned;

/** What trains models on all threads, one after the other, in the same memory where bins and parameters are the same. */
function trainTogether(
  workers: WorkerPool<TrainingTask | HelpTask, Answer>,
  threads: number,
): (task: BinnedTask) => Promise<Answer> {
  let last: { readonly task: BinnedTask; readonly space: ColumnSpace } | undefined;
  const spaceOf = (task: BinnedTask): ColumnSpace => {
    const { binned, data, parameters } = task;
    const counted = hasHessians(data, parameters);
    const fits = last?.task.binned === binned && last.task.parameters === parameters;
    if (!last || !fits || last.space.counted !== counted) {
      last = { task, space: columnSpace(binned, parameters, counted, threads) };
    }
    beginColumns(last.space);
    return last.space;
  };
  const run = async (task: BinnedTask): Promise<Answer> => {
    const space = spaceOf(task);
    const helpers = Array.from({ length: threads - 1 }, (_, at) => ({ help: space, thread: at + 1 }));
    const [answer] = await Promise.all([
      workers.run({ ...task, space }),
      ...helpers.map((helper) => workers.run(helper)),
    ]);
    return answer;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return (task) => {
    const answer = turn.then(() => run(task));
    turn = answer.catch(() => {});
    return answer;
  };
}

/** The error that was thrown in a thread. */
function thrown({ name, parts: [first = '', what = '', remedy = ''] }: Failure): SwardError {
  if (name === 'InputError') return new InputError(first, what, remedy);
  if (name === 'UsageError') return new UsageError(first);
  return name === 'ShapeError' ? new ShapeError(first) : new SwardError(first);
}
