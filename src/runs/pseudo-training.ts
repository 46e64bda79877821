import type { TrainingSet } from '../learning/estimator.ts';
import type { Targets } from '../pasture/targets.ts';

/** Photos whose masses a model said. They are learnt from in every fold and never validated on. */
export interface PseudoLabelled {
  readonly paths: readonly string[];
  /** What the students of each fold are told, grams. `[fold][photo]` */
  readonly byFold: readonly (readonly Targets[])[];
  /** How much each counts beside a measured photo, in (0, 1). */
  readonly weight: number;
}

/**
 * A training set with pseudo-labelled photos after the measured ones, each a session of its own.
 *
 * @param training whose inputs hold those of all photos already
 */
export function withPseudoLabels<Input>(
  training: TrainingSet<Input>,
  pseudo: PseudoLabelled,
): { readonly training: TrainingSet<Input>; readonly targetsFor: (fold: number) => readonly Targets[] } {
  const targetsFor = (fold: number): readonly Targets[] => [
    ...training.targets,
    ...(pseudo.byFold[fold] ?? []),
  ];
  const unknown = { state: null, species: null, ndvi: null, heightCentimetres: null };
  return {
    targetsFor,
    training: {
      inputs: training.inputs,
      targets: targetsFor(0),
      groups: [...training.groups, ...pseudo.paths.map((_, photo) => `pseudo-labelled ${photo}`)],
      weights: [...training.targets.map(() => 1), ...pseudo.paths.map(() => pseudo.weight)],
      ...(training.attributes && {
        attributes: [...training.attributes, ...pseudo.paths.map(() => unknown)],
      }),
    },
  };
}
