import { join } from 'node:path';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  rowEstimator,
  wrappedModel,
} from '../../learning/estimator.ts';
import { innerFolds, innerPredictions } from '../../learning/inner-folds.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';
import { changedSplit, type TrainingSamples } from '../../samples/samples.ts';
import { concat, slice } from '../../tensor/index.ts';
import { writeInner } from '../inner-model.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { CURVES, type Curve, type Smear } from './curve.ts';
import type { CurveSettings } from './transform-settings.ts';

const KIND = 'target-transform';
const INNER = 'transformed';
const COMPONENTS = ['green', 'dead', 'clover'] as const;

/**
 * An estimator that learns a power or logarithm of green, dead and clover. Going back, the mean of the inverse
 * over the residuals is taken, component by component, since the inverse of a mean is not the mean of an inverse.
 * Residuals are those of sessions left out in inner folds, for the residuals of a flexible model on its own
 * training photos are too small. With one session there are none, and the plain inverse is used.
 */
export function curved(settings: CurveSettings, inner: Estimator): Estimator {
  const curve = CURVES[settings.kind];
  return rowEstimator({
    requireData: (train, sets) => inner.requireData(train, sets),
    async fit(split, context) {
      const bent = changedSplit(split, (samples) => onCurve(curve, samples));
      const smears = settings.biasCorrection
        ? await smearsOf(curve, settings, inner, bent.train, context)
        : null;
      const model = await inner.fit(bent, context);
      return fitted(curve, smears ?? COMPONENTS.map(() => curve.noSmear), model);
    },
    async read(folder) {
      const { data } = (await readModelFile(folder, KIND, ['smear'])).matrices.smear;
      const smears = COMPONENTS.map((_, at) => ({
        first: data[2 * at] as number,
        second: data[2 * at + 1] as number,
      }));
      return fitted(curve, smears, await inner.read(join(folder, INNER)));
    },
  });
}

function onCurve(curve: Curve, samples: TrainingSamples): TrainingSamples {
  const bend = ({ green, dead, clover }: Targets): Targets =>
    targetsFromComponents({
      green: curve.forward(green),
      dead: curve.forward(dead),
      clover: curve.forward(clover),
    });
  return samples.withTargets(samples.targets.map(bend));
}

/** The smear of each component from sessions left out; null with fewer than two sessions. */
async function smearsOf(
  curve: Curve,
  settings: CurveSettings,
  inner: Estimator,
  bent: TrainingSamples,
  context: FitContext,
): Promise<Smear[] | null> {
  const random = context.random.fork('smearing');
  const folds = innerFolds(bent, settings.innerFolds, random);
  if (!folds) return null;
  const { photos, predicted } = await innerPredictions(inner, bent, folds, { random });
  return COMPONENTS.map((name) =>
    curve.smearOf(
      photos.map((photo, row) => (bent.targets[photo]?.[name] ?? 0) - (predicted[row]?.[name] ?? 0)),
    ),
  );
}

function fitted(curve: Curve, smears: readonly Smear[], inner: FittedModel): FittedModel {
  const smear = (at: number): Smear => smears[at] ?? curve.noSmear;
  const toGrams = ({ green, dead, clover }: Targets): Targets =>
    targetsFromComponents({
      green: curve.backward(green, smear(0)),
      dead: curve.backward(dead, smear(1)),
      clover: curve.backward(clover, smear(2)),
    });
  return wrappedModel(inner, {
    masses: toGrams,
    graph: (graph) => ({
      ...graph,
      masses(features, covariates) {
        const values = graph.masses(features, covariates);
        const columns = COMPONENTS.map((_, at) => curve.graph(slice(values, { 1: [at, at + 1] }), smear(at)));
        return massesFromComponents(concat(columns, 1));
      },
    }),
    async write(folder) {
      const data = Float64Array.from(smears.flatMap(({ first, second }) => [first, second]));
      await writeModelFile(folder, KIND, {
        matrices: { smear: { rows: COMPONENTS.length, columns: 2, data } },
        texts: {},
      });
      await writeInner(inner, folder, INNER);
    },
  });
}
