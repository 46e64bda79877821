import type { Progress } from '../../ground/progress.ts';
import type { Estimator } from '../../learning/estimator.ts';
import type { TrainingSamples } from '../../samples/samples.ts';
import { computeDescriptors, type DescribingAhead, describeAhead } from '../../vision/descriptors/index.ts';
import { fitDomain } from './domain.ts';
import { writeDomain } from './domain-file.ts';

/**
 * Begins what of {@link writeDomainRecord} needs no trained model, so that training does not have to be waited for; null
 * where there is nothing to begin.
 */
export function beginDomainRecord(
  { predictsFrom }: Pick<Estimator, 'predictsFrom'>,
  samples: TrainingSamples,
): DescribingAhead | null {
  return predictsFrom === 'photos' ? describeAhead(samples.photos) : null;
}

/**
 * Keeps in a run what photos unlike its training photos are told by: the features that its models read. Where every
 * fold has a backbone of its own it is the descriptors of the photos: no network's features are those of all folds,
 * and what a network has come to overlook it cannot tell. Samples that were not measured are support only.
 *
 * @param begun what {@link beginDomainRecord} gave
 * @throws InputError when a photo cannot be used
 */
export async function writeDomainRecord(
  run: string,
  { predictsFrom }: Pick<Estimator, 'predictsFrom'>,
  samples: TrainingSamples,
  progress: Progress,
  begun: DescribingAhead | null,
): Promise<void> {
  const groups = samples.facts.flatMap(({ measured, group }) => (measured ? [group] : []));
  if (predictsFrom === 'photos') {
    await begun?.end();
    const descriptors = await computeDescriptors(samples.photos, { progress });
    return writeDomain(run, fitDomain(descriptors, groups), 'descriptors');
  }
  return writeDomain(run, fitDomain(await samples.features(), groups));
}
