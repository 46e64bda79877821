import { z } from 'zod';
import {
  fitMachine,
  type MachineSettings,
  machineComponents,
} from '../../estimators/kernel/kernel-machine.ts';
import { targetsFromTable } from '../../estimators/masses/components-table.ts';
import { UsageError } from '../../ground/errors.ts';
import { type Matrix, takeRows } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { innerFolds, itemsWhere } from '../../learning/inner-folds.ts';
import { measuredItems } from '../../learning/session-weights.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import { measuredRows, type TrainingSamples } from '../../samples/samples.ts';
import { type Block, balancedBlocks, PRIVILEGED, privilegedBlocks } from './teacher-blocks.ts';

/**
 * A teacher that sees more than the photo, on whose predictions a network is trained beside the measured masses
 * (`predictTrainingPhotos`). A weight of 0 is no teacher.
 */
export const teacherSettings = z
  .strictObject({
    weight: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'share of a teacher’s predictions in the loss; what was measured has the rest; 0: no teacher',
      ),
    sees: z
      .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(z.enum(PRIVILEGED)))
      .refine((names) => new Set(names).size === names.length, 'something is named twice')
      .default(['ndvi', 'height', 'state', 'species'])
      .describe('what the teacher sees of the labels'),
    features: z
      .boolean()
      .default(true)
      .describe('whether it sees the features too; there are none where photos are trained on'),
    innerFolds: z
      .int()
      .min(2)
      .default(5)
      .describe('parts the training sessions are cut into, each predicted by a teacher of the others'),
  })
  .refine(({ sees, features }) => features || sees.length > 0, 'the teacher sees nothing')
  .transform((teacher) => (teacher.weight > 0 ? teacher : undefined));

export type TeacherSettings = NonNullable<z.output<typeof teacherSettings>>;

/** Kernel ridge regression as in `feature-ridge`; blocks bring their own proportions along. */
const MACHINE: MachineSettings = {
  kernels: ['rbf'],
  gammas: [0.2, 0.4],
  penalties: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  sessionWeight: 0.5,
  clip: 4,
  scaling: 'together',
};

/** What metric lines call the teacher's score. */
const TEACHER_SCORE = 'teacher weighted R²';

/** A row of features counts as much as this many readings, for it tells much more than one. */
const FEATURES_SAY = 10;

/** What a teacher sees of a training set. */
export interface TeacherView {
  readonly training: TrainingSamples;
  /** Features of all photos of the training set; null where there are none. */
  readonly features: Matrix | null;
  readonly settings: TeacherSettings;
  readonly random: RandomStream;
}

/** What a teacher predicts of some training photos. */
export interface TeacherLabels {
  /** Grams, one a photo asked for; of photos whose masses were not measured, their label. */
  readonly masses: readonly Targets[];
  /** Weighted R² of its predictions of the measured photos. */
  readonly score: number;
}

/**
 * What a teacher that sees more than the photo predicts of training photos: learning using privileged information
 * (Vapnik & Vashist 2009), by generalised distillation (Lopez-Paz et al. 2016). The teacher is a kernel ridge
 * regression on what labels say besides the masses, and on features. Inner folds keep sessions whole: each photo is
 * predicted by a teacher of the other sessions, so that the prediction holds what the privileged information is worth
 * and not the photo's own label.
 *
 * @param photos positions in the training set; the teacher knows of no others
 * @throws UsageError when there is nothing to see, or fewer than two sessions
 */
export function predictTrainingPhotos(
  { training, features, settings, random }: TeacherView,
  photos: readonly number[],
): TeacherLabels {
  const measured = new Set(measuredItems(training.measured));
  const learners = photos.filter((photo) => measured.has(photo));
  const pick = <T>(values: readonly T[], from = learners): T[] => from.map((photo) => values[photo] as T);
  const targets = pick(training.targets);
  const groups = pick(training.groups);
  const folds = innerFolds(
    { targets, groups, measured: groups.map(() => true) },
    settings.innerFolds,
    random.fork('inner'),
  );
  if (!folds) {
    throw loneSession();
  }
  const blocks: Block[] = [
    ...privilegedBlocks(pick(training.facts), settings.sees),
    ...(features && settings.features ? [{ table: takeRows(features, learners), says: FEATURES_SAY }] : []),
  ];
  if (blocks.length === 0) {
    throw blindTeacher();
  }
  const said = new Map<number, Targets>();
  for (const fold of new Set(folds)) {
    const others = itemsWhere(folds, (other) => other !== fold);
    const held = itemsWhere(folds, (other) => other === fold);
    const write = balancedBlocks(blocks, others);
    const known = measuredRows(write(others), pick(targets, others), pick(groups, others));
    const { machine } = fitMachine(known, MACHINE, () => {});
    targetsFromTable(machineComponents(machine, write(held), null)).forEach((masses, row) => {
      said.set(learners[held[row] as number] as number, masses);
    });
  }
  return {
    masses: photos.map((photo) => (said.get(photo) ?? training.targets[photo]) as Targets),
    score: weightedR2(
      pick(training.observed),
      learners.map((photo) => said.get(photo) as Targets),
    ),
  };
}

/** A teacher with nothing to learn from but what it is asked about. */
export const loneSession = (): UsageError =>
  new UsageError(
    'a teacher predicts each session from the others, but there is only one; set estimator.teacher.weight=0',
  );

/** A teacher of photos that is told nothing of them. */
export const blindTeacher = (): UsageError =>
  new UsageError(
    'the teacher sees nothing where photos are trained on; name in estimator.teacher.sees what labels say of them',
  );

/** The labels of one teacher; the same photos asked for again have the same labels. */
export function teacherLabels(view: TeacherView): (photos: readonly number[]) => TeacherLabels {
  const given = new Map<string, TeacherLabels>();
  return (photos) => {
    const key = photos.join();
    const labels = given.get(key) ?? predictTrainingPhotos(view, photos);
    given.set(key, labels);
    return labels;
  };
}

/** A metric line with what its teacher is worth, where there is one and that has a score. */
export function besideTeacher(line: MetricLine, labels: TeacherLabels | undefined): MetricLine {
  return labels && Number.isFinite(labels.score) ? { ...line, [TEACHER_SCORE]: labels.score } : line;
}
