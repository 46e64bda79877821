import { workerData } from 'node:worker_threads';
import { enter, type Gate, passing } from '../../ground/native-threads.ts';
import { allocate, type DType, type TensorArray } from '../graph/dtype.ts';
import { runInPlace } from './in-place.ts';
import { InferenceSession, Tensor as Value } from './runtime.ts';

/** What a thread opens when it starts. */
export interface ModelOfThreads {
  readonly model: Uint8Array;
  readonly how: InferenceSession.SessionOptions;
  readonly gate: Gate;
}

/** A tensor as it is sent. */
export interface StoredValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements. */
  readonly size: number;
  /** Absent of results, which are still to be made. */
  readonly values?: TensorArray;
}

type Named = readonly [name: string, value: StoredValue];

/** One run. */
export interface RunTask {
  readonly feeds: readonly Named[];
  readonly results: readonly Named[];
}

/** Begun before the first task comes; what is wrong is told to whom it fails. */
const { gate, ...model } = workerData as ModelOfThreads;
const opened = await openModel(model).then(
  (session) => ({ session }),
  (error: unknown) => ({ error }),
);
enter(gate);

function openModel({ model, how }: Omit<ModelOfThreads, 'gate'>): Promise<InferenceSession> {
  return InferenceSession.create(model, how);
}

/** @returns values of the results, in their order */
export default function runModel(task: RunTask): Promise<TensorArray[]> {
  return passing(gate, () => made(task));
}

async function made({ feeds, results }: RunTask): Promise<TensorArray[]> {
  if ('error' in opened) throw opened.error;
  const values = results.map(([name, { dtype, shape, size }]) => {
    const array = allocate(dtype, size);
    return [name, array, runtimeValue({ dtype, shape, size, values: array })] as const;
  });
  await runInPlace(
    opened.session,
    Object.fromEntries(feeds.map(([name, value]) => [name, runtimeValue(value)])),
    Object.fromEntries(values.map(([name, , value]) => [name, value])),
  );
  return values.map(([, array]) => array);
}

const runtimeValue = ({ dtype, shape, values }: StoredValue): Value =>
  new Value(dtype as 'float32', values as Float32Array, [...shape]);
