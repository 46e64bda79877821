import type { Matrix } from '../../ground/matrix.ts';
import { takeRows } from '../../ground/matrix.ts';
import { completedTargets, isComplete, isKnown } from '../../pasture/partial.ts';
import { completedAfter } from '../../pasture/substitute.ts';
import { byMass, type MassName, type Targets } from '../../pasture/targets.ts';
import { measuredRows, type TrainingRows } from '../../samples/samples.ts';
import { fitMachine, type MachineSettings, machineComponents } from '../kernel/kernel-machine.ts';

/** Kernel ridge regression as in `feature-ridge`, with few choices: it fills gaps only. */
const MACHINE: MachineSettings = {
  kernels: ['rbf'],
  gammas: [0.3],
  penalties: [0.01, 0.1, 1],
  sessionWeight: 0.5,
  clip: 4,
};

/**
 * Completes photos of which some masses are not known, for estimators that need them all: one step of expectation and
 * maximisation (Dempster, Laird & Rubin 1977). Each mass is regressed on the photos of which it is known; where it is
 * not, known sums are shared out after what the regressions say (`completedAfter`), so that every known mass is kept.
 * The estimator's own fit is the step of maximisation.
 *
 * @returns all five masses of every photo, grams
 */
export function completedMasses({
  inputs,
  targets,
  groups,
  covariates,
}: Omit<TrainingRows, 'observed'>): Targets[] {
  const gaps = targets.flatMap((masses, photo) => (isComplete(masses) ? [] : [photo]));
  const known = { inputs, targets, groups, covariates };
  const guesses = byMass((mass) => regressed(mass, known, gaps));
  const completed = [...targets];
  gaps.forEach((photo, row) => {
    const guess = completedTargets(byMass((mass) => guesses[mass]?.[row] ?? Number.NaN));
    completed[photo] = completedAfter(targets[photo] as Targets, guess);
  });
  return completed;
}

/** A mass of the rows asked for, from the photos of which it is known; null where that is none. */
function regressed(
  mass: MassName,
  { inputs, targets, groups, covariates }: Pick<TrainingRows, 'inputs' | 'targets' | 'groups' | 'covariates'>,
  asked: readonly number[],
): number[] | null {
  const known = targets.flatMap((masses, photo) => (isKnown(masses, mass) ? [photo] : []));
  if (known.length === 0) return null;
  // The machine learns three columns; the mass is the first, and the others are empty.
  const column = known.map((photo) => {
    const grams = (targets[photo] as Targets)[mass];
    return { green: grams, dead: 0, clover: 0, gdm: grams, total: grams };
  });
  const taken = (items: readonly number[]): Matrix | null => covariates && takeRows(covariates, items);
  const rows = measuredRows(
    takeRows(inputs, known),
    column,
    known.map((photo) => groups[photo] as string),
  );
  const { machine } = fitMachine({ ...rows, covariates: taken(known) }, MACHINE, () => {});
  const { data, columns } = machineComponents(machine, takeRows(inputs, asked), taken(asked));
  return asked.map((_, row) => data[row * columns] as number);
}
