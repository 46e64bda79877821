import { type FeatureSet, featureSetsOf, joinFeatureSets, type Matrix } from '../../ground/matrix.ts';
import type { Estimator, FittedModel } from '../../learning/estimator.ts';
import { changedSplit, type Samples, type TrainingSamples } from '../../samples/samples.ts';
import { cast, concat } from '../../tensor/index.ts';

/** An estimator that reads covariates it is shown as columns after the features: trees may use them in every draw. */
export function covariateColumns(inner: Estimator): Estimator {
  return {
    ...inner,
    requireData: (train, sets) =>
      inner.requireData(
        train,
        train.shown.length === 0 || sets.length === 0 ? sets : [...sets, covariateSet(train.shown.length)],
      ),
    fit: async (split, context) => fitted(await inner.fit(changedSplit(split, asColumns), context)),
    read: async (folder) => fitted(await inner.read(folder)),
  };
}

function fitted(inner: FittedModel): FittedModel {
  return {
    ...inner,
    predict: (samples) => inner.predict(asColumns(samples)),
    graph(under) {
      const { masses, viewFeatures } = inner.graph(under);
      return {
        masses: (features, covariates) =>
          masses(covariates ? concat([cast(features, 'float64'), cast(covariates, 'float64')], 1) : features),
        viewFeatures,
      };
    },
  };
}

function asColumns(samples: TrainingSamples): TrainingSamples;
function asColumns(samples: Samples): Samples;
function asColumns(samples: Samples): Samples {
  const { covariates } = samples;
  return covariates ? samples.withFeatures((features) => beside(features, covariates)).showing([]) : samples;
}

const NAME = 'covariates';
const covariateSet = (columns: number): FeatureSet => ({ name: NAME, columns, measured: true });

function beside(features: Matrix, covariates: Matrix): Matrix {
  const sets = featureSetsOf(features).map(({ start: _, ...set }) => set);
  return {
    ...joinFeatureSets([
      { name: 'features', matrix: features },
      { name: NAME, matrix: covariates },
    ]),
    sets: [...sets, covariateSet(covariates.columns)],
  };
}
