import { UsageError } from '../../ground/errors.ts';
import { changesFrom } from '../../ground/setting-change.ts';
import type { Estimator } from '../../learning/estimator.ts';
import { itemsWhere } from '../../learning/inner-folds.ts';
import { massesIn, massesKnownOf, massWords } from '../../pasture/partial.ts';
import { type RecipeChanges, trainsOnPhotos } from '../../recipes/recipe.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import { statesIn } from '../../runs/leave-one-state-out.ts';
import { massesOfEveryFold, massesOutside } from '../../runs/masses-of-folds.ts';
import type { TrainingData } from '../../runs/training-data.ts';

/** @throws UsageError where a person asked for States to be held out and there are not two of them */
export function requireStates(
  settings: RecipeChanges | undefined,
  recipe: Recipe,
  labels: TrainingData['labels'],
): void {
  const isAsked = changesFrom(settings ?? []).some(
    ({ path, value }) => path.join('.') === 'evaluation.leaveOneStateOut' && value === true,
  );
  const states = statesIn(labels.map(({ state }) => state));
  if (states.length >= 2 || !(isAsked || (trainsOnPhotos(recipe) && recipe.evaluation.leaveOneStateOut)))
    return;
  throw new UsageError(
    `evaluation.leaveOneStateOut holds out one State at a time, but the labels name ${states[0] ?? 'none'}` +
      `${states.length === 1 ? ' alone' : ''}; set it to false, or add the column State`,
  );
}

/**
 * @throws UsageError where a mass was measured of photos of one fold alone, whose own model would not know it
 */
export function requireMassesInEachFold({ labels, rows }: Pick<TrainingData, 'labels' | 'rows'>): void {
  const all = massesIn(massesKnownOf(labels.map(({ targets }) => targets)));
  for (const fold of new Set(rows.map((row) => row.fold))) {
    const known = massesOutside(labels, rows, fold);
    const lacking = all.filter((mass) => !known.includes(mass));
    if (lacking.length === 0) continue;
    const possible = massesOfEveryFold(labels, rows);
    throw new UsageError(
      `${massWords(lacking)} can be learnt from photos of fold ${fold} alone, so that nothing would be left to score it ` +
        `by; measure it on further visits, ${possible.length > 0 ? `learn ${massWords(possible)} alone (--learn ${possible.join(',')}), ` : ''}` +
        'or draw other folds (--seed, --folds)',
    );
  }
}

/** @throws UsageError or InputError where what a fold's model would be trained on does not suit the settings */
export async function requireEachFold(
  estimator: Estimator,
  { rows, samples, targetsFor, sets }: TrainingData,
): Promise<void> {
  const folds = samples.facts.map((_, item) => rows[item]?.fold ?? -1);
  for (const fold of new Set(rows.map((row) => row.fold))) {
    const known = samples.withTargets(targetsFor(fold));
    await estimator.requireData(known.take(itemsWhere(folds, (other) => other !== fold)), sets);
  }
}
