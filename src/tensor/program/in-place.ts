import { messageOf } from '../../ground/errors.ts';
import type { InferenceSession, Tensor as Value } from './runtime.ts';

/**
 * onnxruntime-node 1.30 makes a fresh copy of every result, also of one that ONNX Runtime has just written into
 * an array of the caller's (microsoft/onnxruntime#32346): all weights and moments at every training step, a
 * fifth of its time. Results are handed over in the model's order, and the binding gives up at the first that
 * is no tensor. So a program's first result is an empty sequence (`stop.ts`), and nothing is copied at all.
 */
export const STOP = 'stop';

/** What the binding says when it meets a result that is no tensor. */
const STOPPED = 'Non tensor type is temporarily not supported.';

/**
 * Runs a session whose results go to the arrays given, and nowhere else.
 *
 * @param results an array for every result wanted, none of them also fed
 */
export async function runInPlace(
  session: InferenceSession,
  feeds: Readonly<Record<string, Value>>,
  results: Readonly<Record<string, Value>>,
): Promise<void> {
  try {
    await session.run(feeds, { [STOP]: null, ...results });
  } catch (error) {
    if (messageOf(error) !== STOPPED) throw error;
  }
}
