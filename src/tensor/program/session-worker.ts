import { workerData } from 'node:worker_threads';
import { enter, type Gate, passing } from '../../ground/native-threads.ts';
import { allocate, type DType, type TensorArray } from '../graph/dtype.ts';
import { runtimeValue } from './feeds.ts';
import { runInPlace } from './in-place.ts';
import { InferenceSession } from './runtime.ts';

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
  readonly values: TensorArray;
}

/** A result that is still to be made. */
export interface WantedValue extends Omit<StoredValue, 'values'> {
  /** Elements. */
  readonly size: number;
}

/** One run. */
export interface RunTask {
  readonly feeds: readonly (readonly [name: string, value: StoredValue])[];
  readonly results: readonly (readonly [name: string, value: WantedValue])[];
}

/** Begun before the first task comes; what is wrong is told to whom it fails. */
const { model, how, gate } = workerData as ModelOfThreads;
const opened = await InferenceSession.create(model, how).then(
  (session) => ({ session }),
  (error: unknown) => ({ error }),
);
enter(gate);

/** @returns values of the results, in their order */
export default function runModel(task: RunTask): Promise<TensorArray[]> {
  return passing(gate, () => made(task));
}

async function made({ feeds, results }: RunTask): Promise<TensorArray[]> {
  if ('error' in opened) throw opened.error;
  const values = results.map(([name, { dtype, shape, size }]) => {
    const array = allocate(dtype, size);
    return [name, array, runtimeValue({ dtype, shape }, array)] as const;
  });
  await runInPlace(
    opened.session,
    Object.fromEntries(feeds.map(([name, value]) => [name, runtimeValue(value, value.values)])),
    Object.fromEntries(values.map(([name, , value]) => [name, value])),
  );
  return values.map(([, array]) => array);
}
