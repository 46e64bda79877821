import { workerData } from 'node:worker_threads';
import { allocate, type DType, type TensorArray } from '../graph/dtype.ts';
import { runInPlace } from './in-place.ts';
import { InferenceSession, Tensor as Value } from './runtime.ts';

/** What a thread opens when it starts. */
export interface ModelOfThreads {
  readonly model: Uint8Array;
  readonly how: InferenceSession.SessionOptions;
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
const opened = await openModel(workerData as ModelOfThreads).then(
  (session) => ({ session }),
  (error: unknown) => ({ error }),
);

function openModel({ model, how }: ModelOfThreads): Promise<InferenceSession> {
  return InferenceSession.create(model, how);
}

/** @returns values of the results, in their order */
export default async function runModel({ feeds, results }: RunTask): Promise<TensorArray[]> {
  if ('error' in opened) throw opened.error;
  const made = results.map(([name, { dtype, shape, size }]) => {
    const values = allocate(dtype, size);
    return [name, values, runtimeValue({ dtype, shape, size, values })] as const;
  });
  await runInPlace(
    opened.session,
    Object.fromEntries(feeds.map(([name, value]) => [name, runtimeValue(value)])),
    Object.fromEntries(made.map(([name, , value]) => [name, value])),
  );
  return made.map(([, values]) => values);
}

const runtimeValue = ({ dtype, shape, values }: StoredValue): Value =>
  new Value(dtype as 'float32', values as Float32Array, [...shape]);
