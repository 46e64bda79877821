import { join } from 'node:path';
import { type Estimator, type FittedModel, rowEstimator, wrappedModel } from '../../learning/estimator.ts';
import { changedSplit, type TrainingSamples } from '../../samples/samples.ts';
import { writeInner } from '../inner-model.ts';
import { linearMachineGraph } from '../kernel/machine-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitPca } from './pca.ts';
import { fitPls } from './pls.ts';
import { type Projection, project } from './projection.ts';
import { PROJECTION_MATRICES, restoredProjection, storedProjection } from './projection-file.ts';
import type { ReductionSettings } from './reduction-settings.ts';

const KIND = 'reduction';
const INNER = 'reduced';

/**
 * An estimator that sees principal or partial-least-squares components instead of features. The projection is
 * fitted to the training photos of the fit alone, and stored with the model.
 */
export function reduced(settings: ReductionSettings, inner: Estimator): Estimator {
  if (settings.kind === 'none') return inner;
  return rowEstimator({
    // How many components there will be, the photos tell.
    requireData: (train) => inner.requireData(train, []),
    async fit(split, context) {
      const training = await split.train.rows();
      const projection = settings.kind === 'pca' ? fitPca(training, settings) : fitPls(training, settings);
      const reduce = (samples: TrainingSamples): TrainingSamples =>
        samples.withFeatures((features) => project(projection, features));
      const model = await inner.fit(changedSplit(split, reduce), context);
      // Partial least squares has seen the masses of the session that would be left out.
      return fitted(projection, model, settings.kind === 'pca');
    },
    async read(folder) {
      const { matrices, texts } = await readModelFile(folder, KIND, PROJECTION_MATRICES);
      const projection = restoredProjection(matrices, Number(texts.clip));
      return fitted(projection, await inner.read(join(folder, INNER)), false);
    },
  });
}

function fitted(projection: Projection, inner: FittedModel, sessionsOut: boolean): FittedModel {
  return wrappedModel(inner, {
    samples: (samples) => samples.withFeatures((features) => project(projection, features)),
    graph: ({ masses, viewFeatures }) => ({
      masses: (features, covariates) => masses(linearMachineGraph(projection, features), covariates),
      viewFeatures,
    }),
    sessionsOut,
    async write(folder) {
      await writeModelFile(folder, KIND, {
        matrices: storedProjection(projection),
        texts: { clip: String(projection.clip) },
      });
      await writeInner(inner, folder, INNER);
    },
  });
}
