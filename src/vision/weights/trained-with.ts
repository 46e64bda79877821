import { InputError } from '../../ground/errors.ts';
import { type ResolvedWeights, resolveWeights } from './resolve.ts';

/**
 * As {@link resolveWeights}, for a run that was trained with them before.
 *
 * @param trainedWith SHA-256 of the weights it was trained with; absent: any will do
 * @throws InputError when the name now stands for other weights
 */
export async function resolveTrainedWeights(
  nameOrPath: string,
  trainedWith: string | undefined,
): Promise<ResolvedWeights> {
  const weights = await resolveWeights(nameOrPath);
  if (trainedWith === undefined || trainedWith === weights.sha256) return weights;
  throw new InputError(
    weights.path,
    `is not the file the run was trained with (SHA-256 ${trainedWith.slice(0, 12)}…)`,
    'put that file back, or train the run again',
  );
}
