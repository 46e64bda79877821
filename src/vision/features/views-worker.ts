import { workerData } from 'node:worker_threads';
import { InputError } from '../../ground/errors.ts';
import { enter, type Gate, passing } from '../../ground/native-threads.ts';
import { decodeOpenPhoto, type OpenPhoto, openPhoto, type Pixels } from '../photos/decode.ts';
import { laidOut } from '../preprocess/laid-out.ts';
import type { FeaturePlan } from './plan.ts';
import prepareViews, { type ViewRecipe } from './prepare-worker.ts';

/** One photo whose views are wanted; plain data. */
export interface ViewsTask {
  readonly photo: Pick<OpenPhoto, 'name' | 'bytes' | 'corners'>;
  readonly plan: Pick<FeaturePlan, 'upright'>;
  readonly recipe: ViewRecipe;
}

/** Absent where a thread that is none of ours does the work itself. */
const gate = (workerData as { readonly gate?: Gate } | null)?.gate;
if (gate) enter(gate);

/** What is wrong with a photo: an {@link InputError} does not come through from another thread as one. */
export type Unusable = Pick<InputError, 'where' | 'what' | 'remedy'>;

/**
 * Decodes a photo and makes its views as {@link prepareViews} has them. Its pixels are never in the memory of the thread
 * that asks: six megabytes a photo there would have all that it holds searched for garbage every other photo.
 */
export default function viewsOf(task: ViewsTask): Promise<Float32Array | Unusable> {
  return gate ? passing(gate, () => prepared(task)) : prepared(task);
}

async function prepared({ photo, plan, recipe }: ViewsTask): Promise<Float32Array | Unusable> {
  const { name, bytes, corners } = photo;
  try {
    const opened = await openPhoto(corners ? { of: name, corners, framing: 'given' } : name, bytes);
    return prepareViews({ pixels: await decodeForViews(opened, plan), recipe });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { where, what, remedy } = error;
    return { where, what, remedy };
  }
}

/**
 * The pixels of a photo that can be cut into views, lying where the plan wants it.
 *
 * @throws InputError where it does not decode or is too small
 */
export async function decodeForViews(
  photo: OpenPhoto,
  { upright }: Pick<FeaturePlan, 'upright'>,
): Promise<Pixels> {
  return laidOut(photo.name, await decodeOpenPhoto(photo), upright);
}
