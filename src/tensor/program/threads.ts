import type { Gate } from '../../ground/native-threads.ts';
import { startWorkers } from '../../ground/worker-pool.ts';
import type { DType, TensorArray } from '../graph/dtype.ts';
import type { InferenceSession, Tensor as Value } from './runtime.ts';
import type { ModelOfThreads, RunTask, StoredValue } from './session-worker.ts';
import type { OpenSession } from './sessions.ts';

/**
 * A model on threads of its own, which run it at the same time, each by a session of its own that it opens when it starts.
 * Products inside a session have the threads that `how` says. The numbers are those of a session of the calling thread.
 *
 * @param count threads, and runs at once; further runs wait
 * @returns undefined where nothing is built
 */
export function openInThreads(
  model: Uint8Array,
  how: InferenceSession.SessionOptions,
  count: number,
): OpenSession | undefined {
  const given = (gate: Gate): ModelOfThreads => ({ model, how, gate });
  const pool = startWorkers<RunTask, TensorArray[]>(import.meta.url, 'session-worker', count, given);
  if (pool === undefined) return undefined;
  return {
    async run(feeds, results) {
      const wanted = Object.entries(results);
      const made = await pool.run({
        feeds: Object.entries(feeds).map(([name, value]) => [name, stored(value)]),
        results: wanted.map(([name, { type, dims, size }]) => [
          name,
          { dtype: type as DType, shape: dims, size },
        ]),
      });
      wanted.forEach(([, { data }], index) => {
        (data as Float32Array).set(made[index] as Float32Array);
      });
    },
    leave: () => pool.close(),
  };
}

/** A value as it can be sent; a part of an array is copied, or the whole of it would be sent. */
function stored({ type, dims, data }: Value): StoredValue {
  const values = data as TensorArray;
  const isPart = values.byteLength < values.buffer.byteLength;
  return { dtype: type as DType, shape: dims, values: isPart ? values.slice() : values };
}
