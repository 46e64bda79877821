import { type FoldRow, writeFolds } from '../../data/folds/index.ts';
import type { FoldPlan } from '../../runs/fold-plan.ts';
import type { TrainingSource } from '../../runs/training-data.ts';
import { makeFolds } from './train.ts';

/**
 * Draws folds of a data folder, table or feature set, and writes them as a CSV that training takes.
 *
 * @throws InputError when the labels cannot be read
 * @throws UsageError when there are too few groups, or photos lack the date the grouping needs
 */
export async function drawFolds(
  source: string | TrainingSource,
  out: string,
  plan: Partial<FoldPlan> = {},
): Promise<FoldRow[]> {
  const rows = await makeFolds(source, plan);
  await writeFolds(out, rows);
  return rows;
}
