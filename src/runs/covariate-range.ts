import { type Covariate, type CovariateSet, HEIGHT, type Readings } from '../pasture/covariates.ts';

/** A covariate with the least and the most that a run was trained on. */
export type RangedCovariate = Pick<Covariate, 'name' | 'unit'> & {
  readonly low: number;
  readonly high: number;
};

/** Which of a photo's readings lie outside of what a run was trained on, a sentence each. */
export function outsideRange(
  covariates: readonly RangedCovariate[],
  readings: Readings,
  used: CovariateSet,
): string[] {
  return covariates.flatMap(({ name, unit, low, high }) => {
    const value = readings[name];
    if (!used.includes(name) || value === undefined || (value >= low && value <= high)) return [];
    const [own, least, most] = [value, low, high].map((number) => String(Number(number.toPrecision(4))));
    const units = unit === null ? '' : ` ${unit}`;
    // Whoever reads a plate in millimetres writes ten times as much.
    const isMaybeMillimetres = name === HEIGHT && value / 10 >= low && value / 10 <= high;
    const hint = isMaybeMillimetres
      ? `; if that is mm, say --height ${own}mm, or name the unit in the header`
      : '';
    return [
      `${name} ${own}${units} is outside of what the run was trained on (${least} to ${most}${units})${hint}`,
    ];
  });
}
