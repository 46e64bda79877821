import { InputError, SwardError } from '../../ground/errors.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { BinnedMatrix } from './bins.ts';
import {
  type BoostingData,
  type LeafwiseModel,
  type LeafwiseParameters,
  trainLeafwise,
  type ValidationData,
} from './leafwise.ts';
import {
  type ObliviousData,
  type ObliviousParameters,
  type ObliviousTraining,
  trainOblivious,
} from './oblivious.ts';

/** Where a stream of random numbers comes from: the fork `label` of a stream that was made of `seed`. */
export interface StreamSource {
  readonly seed: number;
  readonly label: string;
}

/** One training of leaf-wise trees; plain data. */
export interface LeafwiseTask {
  readonly grower: 'leafwise';
  readonly data: BoostingData;
  readonly parameters: LeafwiseParameters;
  readonly random: StreamSource;
  readonly validation?: ValidationData;
  /** Absent: the rows are binned first. */
  readonly binned?: BinnedMatrix;
}

/** One training of symmetric trees; plain data. */
export interface ObliviousTask {
  readonly grower: 'oblivious';
  readonly data: ObliviousData;
  readonly parameters: ObliviousParameters;
  readonly random: StreamSource;
  readonly statisticsRandom?: StreamSource;
  readonly validation?: Pick<ObliviousData, 'inputs' | 'targets'>;
}

export type TrainingTask = LeafwiseTask | ObliviousTask;

/** What a training gives, but for the functions of its objective, which cannot leave a thread. */
export type Trained<Task extends TrainingTask> = Task extends LeafwiseTask
  ? Pick<LeafwiseModel, 'trees' | 'trainingLoss'>
  : ObliviousTraining;

/** An error of sward as plain data: between threads it would lose its class. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of an InputError. */
  readonly parts: readonly [where: string, what: string, remedy: string] | null;
}

/** What a thread sends back. */
export type Answer = { readonly trained: Trained<TrainingTask> } | { readonly failure: Failure };

/** Trains in this thread. It depends on the task alone. */
export function train<Task extends TrainingTask>(task: Task): Trained<Task>;
export function train(task: TrainingTask): Trained<LeafwiseTask> | Trained<ObliviousTask> {
  const random = streamOf(task.random);
  if (task.grower === 'oblivious') {
    const { data, parameters, validation, statisticsRandom } = task;
    const statistics = statisticsRandom && streamOf(statisticsRandom);
    return trainOblivious(data, parameters, random, validation ?? null, statistics);
  }
  const { data, parameters, validation, binned } = task;
  const { trees, trainingLoss } = trainLeafwise(data, parameters, random, validation ?? null, binned);
  return { trees, trainingLoss };
}

/** What a worker thread does with a task. */
export default function trainTask(task: TrainingTask): Answer {
  try {
    return { trained: train(task) };
  } catch (error) {
    if (!(error instanceof SwardError)) throw error;
    const parts = error instanceof InputError ? ([error.where, error.what, error.remedy] as const) : null;
    return { failure: { name: error.name, message: error.message, parts } };
  }
}

function streamOf({ seed, label }: StreamSource): RandomStream {
  return randomStream(seed).fork(label);
}
