import { fitStandardiser } from '../../estimators/standardise.ts';
import { type Matrix, takeColumns } from '../../ground/matrix.ts';
import { type Targets, targetsToArray } from '../../pasture/targets.ts';
import type { Parameter, Variables } from '../../tensor/index.ts';
import { columnsOf, EXTRA_STATISTICS, type NetworkShape, PARTS_STATISTICS } from './features.ts';
import { MEAN_MASSES } from './masses.ts';

/** A mass that no training photo has still gets a unit to be counted in, grams. */
const LEAST_UNIT = 0.01;

/** What a network knows of its training photos besides weights, by the names of its variables. */
export type Statistics = Readonly<Record<string, Float32Array>>;

/**
 * Mean and inverse deviation of every feature over photos, halves and parts, and the mean masses.
 *
 * @param weights how much each photo counts
 */
export function trainingStatistics(
  inputs: Matrix,
  shape: NetworkShape,
  targets: readonly Targets[],
  weights: readonly number[],
): Statistics {
  const { halves, parts, dim, extra } = shape;
  const own = halves * parts * dim;
  const partRows = reshaped(columnsBetween(inputs, 0, own), dim);
  const scales = {
    [PARTS_STATISTICS]: fitStandardiser(
      partRows,
      weights.flatMap((weight) => new Array<number>(halves * parts).fill(weight)),
    ),
    ...(extra > 0 && {
      [EXTRA_STATISTICS]: fitStandardiser(columnsBetween(inputs, own, columnsOf(shape)), weights),
    }),
  };
  const named = Object.entries(scales).flatMap(([scope, { mean, scale }]) => [
    [`${scope}.mean`, Float32Array.from(mean)],
    [`${scope}.scale`, Float32Array.from(scale)],
  ]);
  return { ...Object.fromEntries(named), ...massStatistics(targets, weights) };
}

/** Gives those variables of a model that hold statistics their values. */
export function setStatistics(
  variables: Variables,
  parameters: readonly Parameter[],
  statistics: Statistics,
): void {
  for (const parameter of parameters) {
    const values = statistics[parameter.name];
    if (values) variables.set(parameter, values);
  }
}

/** The mean masses alone. */
export function massStatistics(targets: readonly Targets[], weights: readonly number[]): Statistics {
  return { [MEAN_MASSES]: meanMasses(targets, weights) };
}

/** Of each mass over the photos of which it is known. */
function meanMasses(targets: readonly Targets[], weights: readonly number[]): Float32Array {
  const rows = targets.map(targetsToArray);
  const means = Float64Array.from({ length: 5 }, (_, index) => {
    const known = rows.flatMap((row, photo) => (Number.isNaN(row[index]) ? [] : [photo]));
    const total = known.reduce((sum, photo) => sum + (weights[photo] as number), 0);
    return known.reduce(
      (sum, photo) => sum + ((weights[photo] as number) / total) * (rows[photo]?.[index] as number),
      0,
    );
  });
  return Float32Array.from(means, (mean) => Math.max(mean, LEAST_UNIT));
}

const columnsBetween = (matrix: Matrix, start: number, end: number): Matrix =>
  takeColumns(
    matrix,
    Array.from({ length: end - start }, (_, column) => start + column),
  );

const reshaped = ({ data }: Matrix, columns: number): Matrix => ({
  rows: data.length / columns,
  columns,
  data,
});
