import { featureSetsOf, type Matrix } from '../../ground/matrix.ts';
import type { Estimator, FittedModel } from '../../learning/estimator.ts';
import { changedSplit, type Samples, type TrainingSamples } from '../../samples/samples.ts';
import { cast, concat } from '../../tensor/index.ts';
import { COVARIATE_COLUMNS } from '../trees/boosting.ts';

/** An estimator that reads covariates it is shown as columns after the features: trees may use them in every draw. */
export function covariateColumns(inner: Estimator): Estimator {
  return {
    ...inner,
    requireData: (train, sets) =>
      inner.requireData(
        train,
        train.shown.length === 0 || sets.length === 0
          ? sets
          : [...sets, { name: COVARIATE_COLUMNS, columns: train.shown.length }],
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

function beside(features: Matrix, covariates: Matrix): Matrix {
  const columns = features.columns + covariates.columns;
  const data = new Float64Array(features.rows * columns);
  for (let row = 0; row < features.rows; row++) {
    const own = ({ columns: width, data: values }: Matrix): Float64Array =>
      values.subarray(row * width, (row + 1) * width);
    data.set(own(features), row * columns);
    data.set(own(covariates), row * columns + features.columns);
  }
  const sets = featureSetsOf(features).map(({ start: _, ...set }) => set);
  return {
    rows: features.rows,
    columns,
    data,
    sets: [...sets, { name: COVARIATE_COLUMNS, columns: covariates.columns }],
  };
}
