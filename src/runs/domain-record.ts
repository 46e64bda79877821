import { type Progress, SILENT } from '../ground/progress.ts';
import { predictsFromPhotos } from '../recipes/learns-from-photos.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { RecipeInputs } from '../samples/recipe-inputs.ts';
import { fitDomain, outOfDomainShares, readDomain, writeDomain } from './domain/index.ts';
import { computeDescriptors } from '../vision/descriptors/index.ts';
import { photoInputs } from '../samples/photo-inputs.ts';

/**
 * Keeps in a run what photos unlike its training photos are told by: the inputs that its estimator learnt from, or
 * the features of the frozen backbone under heads that learnt from augmented photos. Where every fold has a backbone
 * of its own it is the descriptors of the photos: no network's features are those of all folds, and what a network
 * has learnt to overlook it cannot tell.
 *
 * @param groups session of each photo that has one; photos after these are support only
 * @throws InputError when a photo cannot be used
 */
export async function writeDomainRecord(
  run: string,
  recipe: Recipe,
  inputs: RecipeInputs,
  groups: readonly string[],
  progress: Progress,
): Promise<void> {
  if (!('paths' in inputs)) return writeDomain(run, fitDomain(inputs, groups));
  const { paths } = inputs;
  if (predictsFromPhotos(recipe)) {
    return writeDomain(run, fitDomain(await computeDescriptors(paths, { progress }), groups), 'descriptors');
  }
  const { matrix } = await photoInputs(paths, recipe.input, { progress });
  return writeDomain(run, fitDomain(matrix, groups));
}

/**
 * How unlike the training photos each photo is; null where the run keeps no record of what it was trained on.
 *
 * @throws InputError when the record is damaged or a photo cannot be used
 */
export async function domainShares(
  run: string,
  inputs: RecipeInputs,
  progress: Progress = SILENT,
): Promise<number[] | null> {
  const domain = await readDomain(run);
  if (!domain) return null;
  if (!('paths' in inputs)) return domain.of === 'inputs' ? outOfDomainShares(domain, inputs) : null;
  return domain.of === 'descriptors'
    ? outOfDomainShares(domain, await computeDescriptors(inputs.paths, { progress }))
    : null;
}
