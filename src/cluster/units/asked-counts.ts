import type { CountsBySet, CovariateSet } from '../../pasture/covariates.ts';
import type { PredictWork } from './spec.ts';

/** Of how many of the photos or rows of a unit which covariates are known. */
export function countsOf(asked: PredictWork['asked']): CountsBySet {
  const readings =
    'photos' in asked
      ? asked.photos.map((photo) => photo.readings)
      : asked.ids.map((_, row) => asked.readings?.[row]);
  return sumOfCounts(
    readings.map((known = {}) => ({ covariates: Object.keys(known).sort(), count: 1 })),
    [],
  );
}

/** The counts of two groups together, each set once. */
export function sumOfCounts(one: CountsBySet, other: CountsBySet): CountsBySet {
  const sums = new Map<string, { readonly covariates: CovariateSet; count: number }>();
  for (const { covariates, count } of [...one, ...other]) {
    const name = JSON.stringify(covariates);
    const known = sums.get(name);
    if (known) known.count += count;
    else sums.set(name, { covariates, count });
  }
  return [...sums.values()];
}
