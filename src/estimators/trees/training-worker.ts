import { InputError, SwardError } from '../../ground/errors.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { BinnedMatrix } from './bins.ts';
import type { LeafwiseParameters, ObliviousParameters } from './boost-settings.ts';
import type { Boosted, BoostingData, ValidationData } from './boosting.ts';
import type { ColumnSpace } from './column-space.ts';
import { endColumns, helpColumns } from './column-team.ts';
import { trainLeafwise } from './leafwise.ts';
import { type ObliviousTraining, trainOblivious } from './oblivious.ts';
import { type PackedTrees, packTrees } from './packed-trees.ts';
import type { Tree } from './tree.ts';

/** Where a stream of random numbers comes from: the fork `label` of a stream that was made of `seed`. */
interface StreamSource {
  readonly seed: number;
  readonly label: string;
}

/** One training; plain data. */
interface Task {
  readonly data: BoostingData;
  readonly random: StreamSource;
  readonly validation?: ValidationData;
}

export interface LeafwiseTask extends Task {
  readonly grower: 'leafwise';
  readonly parameters: LeafwiseParameters;
  /** Absent: the rows are binned first. */
  readonly binned?: BinnedMatrix;
  /** What other threads help in; absent: none does. */
  readonly space?: ColumnSpace;
}

interface ObliviousTask extends Task {
  readonly grower: 'oblivious';
  readonly parameters: ObliviousParameters;
  readonly statisticsRandom?: StreamSource;
}

export type TrainingTask = LeafwiseTask | ObliviousTask;

/** Help with a training that another thread leads, until that is over. */
export interface HelpTask {
  readonly help: ColumnSpace;
  /** Which of its threads this is, from 1. */
  readonly thread: number;
}

/** What a training gives. */
export type Trained<Asked extends TrainingTask> = Asked extends LeafwiseTask
  ? Boosted<Tree>
  : ObliviousTraining;

/** An error of sward as plain data: between threads it would lose its class. */
export interface Failure {
  readonly name: string;
  /** What its class is constructed of. */
  readonly parts: readonly string[];
}

/** What a thread sends back. */
export type Answer =
  | { readonly trained: ObliviousTraining }
  | { readonly packed: Omit<Boosted<Tree>, 'trees'> & { readonly trees: PackedTrees } }
  | { readonly failure: Failure }
  | { readonly helped: true };

/** Trains in this thread. It depends on the task alone. */
export function train<Asked extends TrainingTask>(task: Asked): Trained<Asked>;
export function train(task: TrainingTask): Boosted<Tree> | ObliviousTraining {
  const { data, validation = null } = task;
  const random = streamOf(task.random);
  if (task.grower === 'leafwise')
    return trainLeafwise(data, task.parameters, random, validation, task.binned, task.space);
  const statistics = task.statisticsRandom && streamOf(task.statisticsRandom);
  return trainOblivious(data, task.parameters, random, validation, statistics);
}

/** What a worker thread does with a task. */
export default function trainTask(task: TrainingTask | HelpTask): Answer {
  if ('help' in task) {
    helpColumns(task.help, task.thread);
    return { helped: true };
  }
  try {
    if (task.grower === 'oblivious') return { trained: train(task) };
    const trained = train(task);
    return { packed: { ...trained, trees: packTrees(trained.trees) } };
  } catch (error) {
    if (!(error instanceof SwardError)) throw error;
    const parts = error instanceof InputError ? [error.where, error.what, error.remedy] : [error.message];
    return { failure: { name: error.name, parts } };
  } finally {
    if ('space' in task && task.space) endColumns(task.space);
  }
}

function streamOf({ seed, label }: StreamSource): RandomStream {
  return randomStream(seed).fork(label);
}
