import { columnNames, explainForest, readForest } from '../estimators/trees/explain.ts';
import { UsageError } from '../ground/errors.ts';
import { takeRows } from '../ground/matrix.ts';
import type { ColumnEffects } from './results.ts';
import { foldFolder } from './run-folder.ts';
import type { TrainedRun } from './trained-run.ts';

/**
 * What the columns of a run's input do to its predictions of Total: every training photo explained by the model that
 * has not seen it.
 *
 * @param shown how many columns a report is to draw
 * @throws UsageError when the run is not of boosted trees on features as they are
 * @throws InputError when its data are not where they were
 */
export async function columnEffects(run: TrainedRun, shown: number): Promise<ColumnEffects> {
  const { estimator, reduction, transform } = run.manifest.recipe;
  const isPlain = reduction.kind === 'none' && transform.kind === 'none';
  if ((estimator.kind !== 'leafwise-boost' && estimator.kind !== 'oblivious-boost') || !isPlain) {
    throw new UsageError(
      `--explain: ${run.folder} is not of boosted trees on features as they are; train --recipe feature-boost ` +
        'or descriptor-boost without reduction and transform',
    );
  }
  const { rows } = await run.results();
  const features = await run.trainingFeatures();
  const names = columnNames(features);
  const sums = new Map(names.map((name) => [name, 0]));
  for (let fold = 0; fold < run.manifest.folds.count; fold++) {
    const held = rows.flatMap((row, item) => (row.fold === fold ? [item] : []));
    const forest = await readForest(estimator.kind, foldFolder(run.folder, fold));
    for (const { column, meanAbsolute } of explainForest(forest, takeRows(features, held), names)) {
      sums.set(column, (sums.get(column) ?? 0) + (meanAbsolute * held.length) / rows.length);
    }
  }
  const effects = [...sums].map(([column, meanAbsolute]) => ({ column, meanAbsolute }));
  return {
    effects: effects.sort((a, b) => b.meanAbsolute - a.meanAbsolute),
    shown,
    photos: rows.length,
  };
}
