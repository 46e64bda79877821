import { TARGET_NAMES } from '../../pasture/targets.ts';
import { cast, concat, constant, input, multiply, sum, type Tensor } from '../../tensor/index.ts';
import { emitModel } from '../../tensor/onnx/emit.ts';
import type { ModelParts } from '../../tensor/onnx/model.ts';
import { COVARIATES_NAME, type MassEstimator } from '../mass-model.ts';
import { prefixed } from '../prefixed-parts.ts';
import type { RunParts } from '../run-model.ts';
import { INSIDE } from '../weight-placement.ts';
import { inSinglePrecision } from './single-precision.ts';

const TARGETS = TARGET_NAMES.length;

const sourceName = (source: number): string => `source-${source}`;

/**
 * All estimators of a run as one model of single precision: inputs `source-N` `[1, width]`, outputs `masses` `[1, 5]`
 * and `folds` `[folds, 5]`, what the members' models of each fold make together; where members have different numbers
 * of folds, the answer itself.
 *
 * @param widths of the sources' features
 * @param covariates how many are an input, `covariates` `[1, count]`, beside them
 */
export function estimatorModel(
  { estimators, finish }: Pick<RunParts, 'estimators' | 'finish'>,
  widths: readonly number[],
  covariates: number,
): ModelParts {
  const emitted = (outputs: Readonly<Record<string, Tensor>>): ModelParts =>
    emitModel({ outputs, isFed: () => false, initializer: INSIDE.initializer }).parts;
  const finished = finish ?? ((masses: Tensor) => masses);
  const reads = readSources(estimators);
  const names = [...reads.map(sourceName), COVARIATES_NAME];
  // Each estimator by itself, because those of folds call their weights alike.
  const models = estimators.map(({ reads: own, masses }, index) => {
    const features = own.map((source) => input(sourceName(source), [1, widths[source] ?? 0]));
    const all = cast(features.length > 1 ? concat(features, 1) : (features[0] as Tensor), 'float64');
    const readings = covariates > 0 ? cast(input(COVARIATES_NAME, [1, covariates]), 'float64') : undefined;
    const part = masses(all, readings);
    return prefixed(emitted({ part: cast(part, 'float64') }), `model-${index}/`, names);
  });
  const parts = estimators.map((_, index) => input(`model-${index}/part`, [1, TARGETS], 'float64'));
  const weighed = (items: readonly number[], scale: number): Tensor =>
    finished(
      sum(
        concat(
          items.map((index) => multiply(parts[index] as Tensor, row(estimators[index], scale))),
          0,
        ),
        { axes: [0], keepAxes: true },
      ),
    );
  const all = estimators.map((_, index) => index);
  const masses = weighed(all, 1);
  const folds = foldsOf(estimators).map((items, _, { length }) => weighed(items, length));
  const last = prefixed(
    emitted({
      masses: cast(masses, 'float32'),
      folds: cast(folds.length > 0 ? concat(folds, 0) : masses, 'float32'),
    }),
    'answer/',
    ['masses', 'folds', ...parts.map(({ label }) => label)],
  );
  return inSinglePrecision({
    nodes: [...models, last].flatMap(({ nodes }) => nodes),
    initializers: [...models, last].flatMap(({ initializers }) => initializers),
    inputs: uniqueInputs(models),
    outputs: last.outputs,
    declared: [...models, last].flatMap(({ declared }) => declared),
  });
}

/** The sources that estimators read, in order. */
export const readSources = (estimators: readonly MassEstimator[]): number[] =>
  [...new Set(estimators.flatMap(({ reads }) => reads))].sort((a, b) => a - b);

/** What a model's masses are multiplied with, as `TARGET_NAMES`. */
const row = (estimator: MassEstimator | undefined, scale: number): Tensor =>
  constant(
    (estimator?.shares ?? []).map((share) => share * scale),
    [1, TARGETS],
    'float64',
  );

/** The estimators of each fold; none where members have different numbers of folds. */
function foldsOf(estimators: readonly MassEstimator[]): number[][] {
  const folds = Math.max(...estimators.map(({ fold }) => fold)) + 1;
  const byFold = Array.from({ length: folds }, (_, fold) =>
    estimators.flatMap((estimator, index) => (estimator.fold === fold ? [index] : [])),
  );
  const members = byFold[0]?.length ?? 0;
  return byFold.every(({ length }) => length === members) ? byFold : [];
}

function uniqueInputs(models: readonly ModelParts[]): ModelParts['inputs'] {
  const byName = new Map(models.flatMap(({ inputs }) => inputs.map((info) => [info.name, info] as const)));
  return [...byName.values()];
}
