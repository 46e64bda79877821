import { UsageError } from '../ground/errors.ts';
import type { FeatureSet } from '../ground/matrix.ts';
import { randomStream } from '../ground/random.ts';
import { measuredItems } from '../learning/session-weights.ts';
import { isComplete } from '../pasture/partial.ts';
import type { Targets } from '../pasture/targets.ts';
import type { TrainingSamples } from '../samples/samples.ts';
import { input, Scope } from '../tensor/index.ts';
import { readConcepts, withConceptScores } from './heads/concepts.ts';
import { covariateInput } from './heads/covariates.ts';
import { type NetworkShape, networkShape } from './heads/features.ts';
import { massObjective } from './objectives/masses.ts';
import { blindTeacher, loneSession } from './objectives/teacher.ts';
import { privilegedBlocks } from './objectives/teacher-blocks.ts';
import type { NetworkSettings } from './settings/network.ts';
import { memberSplit } from './training/holdout.ts';

/** A width of features that every architecture takes. */
const SOME_WIDTH = 8;

/** Rows of the graph that is made to see whether it can be. */
const ROWS = 2;

/**
 * Makes sure that a network of the settings can be trained on samples, as far as labels and the width of features tell,
 * before any feature is made.
 *
 * @param sets the feature sets that the samples will have
 * @param seesFeatures whether a teacher would see them
 * @throws UsageError naming the setting that does not suit
 * @throws InputError when a file of concepts cannot be read
 */
export async function requireSuitedData(
  settings: NetworkSettings,
  train: TrainingSamples,
  sets: readonly FeatureSet[],
  seesFeatures: boolean,
): Promise<void> {
  // What holds sessions out needs some; weights and folds matter to nobody here.
  const split = memberSplit({ train, validation: train }, settings, randomStream(0), 0);
  if (settings.teacher) requireTeachable(train, settings.teacher, seesFeatures);
  const objective = massObjective(split.train.labels, settings, split.hasGaps);
  const { halves, parts, dim, extra } = await shapeOf(settings, sets);
  objective.loss(Scope.root({ random: randomStream(0) }).forTraining(), {
    parts: input('parts', [ROWS, halves, parts, dim]),
    ...(extra > 0 && { extra: input('extra', [ROWS, extra]) }),
    ...covariateInput({ covariates: train.shown.length }, ROWS),
  });
}

/** How a row of features is arranged. Of no sets nobody knows how wide it will be: any width will do then. */
async function shapeOf(settings: NetworkSettings, sets: readonly FeatureSet[]): Promise<NetworkShape> {
  const { layout } = settings;
  const concepts = settings.concepts === null ? null : await readConcepts(settings.concepts);
  if (sets.length === 0) return { ...layout, dim: SOME_WIDTH };
  const columns = sets.reduce((sum, set) => sum + set.columns, 0);
  const extra = columns - (sets[0]?.columns ?? 0) || layout.extra;
  if (!concepts) return networkShape(columns, { ...layout, extra });
  const scored = withConceptScores({ rows: 0, columns, data: new Float64Array() }, extra, concepts);
  return networkShape(scored.columns, { ...layout, extra: concepts.rows });
}

function requireTeachable(
  train: TrainingSamples,
  { sees, features }: NonNullable<NetworkSettings['teacher']>,
  seesFeatures: boolean,
): void {
  const measured = measuredItems(train.measured);
  if (!measured.every((item) => isComplete(train.targets[item] as Targets))) {
    throw new UsageError(
      'a teacher needs all masses of all photos, and some were not measured; set estimator.teacher.weight=0',
    );
  }
  if (new Set(measured.map((item) => train.groups[item])).size < 2) throw loneSession();
  const blocks = privilegedBlocks(
    measured.map((item) => train.facts[item] as (typeof train.facts)[number]),
    sees,
  );
  if (blocks.length === 0 && !(features && seesFeatures)) throw blindTeacher();
}
