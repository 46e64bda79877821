import { join } from 'node:path';
import type { Matrix } from '../../ground/matrix.ts';
import { rowVector } from '../../ground/matrix.ts';
import type { Estimator, FittedModel, TrainingSet } from '../../learning/estimator.ts';
import { writeInner } from '../inner-model.ts';
import { linearMachineGraph } from '../kernel/machine-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitPca } from './pca.ts';
import { fitPls } from './pls.ts';
import { type Projection, project } from './projection.ts';
import type { ReductionSettings } from './reduction-settings.ts';

const KIND = 'reduction';
const INNER = 'reduced';

/**
 * An estimator that sees principal or partial-least-squares components instead of features. The projection is
 * fitted to the training photos of the fit alone, and stored with the model.
 */
export function reduced(settings: ReductionSettings, inner: Estimator<Matrix>): Estimator<Matrix> {
  if (settings.kind === 'none') return inner;
  return {
    async fit(training, context) {
      const projection = settings.kind === 'pca' ? fitPca(training, settings) : fitPls(training, settings);
      const model = await inner.fit(projected(projection, training), context);
      const { leaveSessionsOut } = model;
      return {
        ...fitted(projection, model),
        // Partial least squares has seen the masses of the session that would be left out.
        ...(settings.kind === 'pca' && leaveSessionsOut && { leaveSessionsOut }),
      };
    },
    async read(folder) {
      const names = ['mean', 'scale', 'coefficients', 'intercept'] as const;
      const { matrices, texts } = await readModelFile(folder, KIND, names);
      const projection = {
        mean: matrices.mean.data,
        scale: matrices.scale.data,
        clip: Number(texts.clip),
        coefficients: matrices.coefficients,
        intercept: matrices.intercept.data,
      };
      return fitted(projection, await inner.read(join(folder, INNER)));
    },
  };
}

function projected(projection: Projection, training: TrainingSet<Matrix>): TrainingSet<Matrix> {
  const { validation } = training;
  return {
    ...training,
    inputs: project(projection, training.inputs),
    ...(validation && { validation: { ...validation, inputs: project(projection, validation.inputs) } }),
  };
}

function fitted(projection: Projection, inner: FittedModel<Matrix>): FittedModel<Matrix> {
  const { predictSamples, graph } = inner;
  return {
    predict: async (inputs) => inner.predict(project(projection, inputs)),
    ...(predictSamples && {
      predictSamples: async (inputs, samples, random) =>
        predictSamples.call(inner, project(projection, inputs), samples, random),
    }),
    ...(graph && { graph: (features) => graph.call(inner, linearMachineGraph(projection, features)) }),
    async write(folder) {
      const { mean, scale, clip, coefficients, intercept } = projection;
      await writeModelFile(folder, KIND, {
        matrices: {
          mean: rowVector(mean),
          scale: rowVector(scale),
          coefficients,
          intercept: rowVector(intercept),
        },
        texts: { clip: String(clip) },
      });
      await writeInner(inner, folder, INNER);
    },
  };
}
