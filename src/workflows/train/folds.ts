import { type FoldRow, writeFolds } from '../../data/folds/index.ts';
import type { FoldPlan } from '../../runs/fold-plan.ts';
import type { TrainingSource } from '../../runs/training-data.ts';
import { requireOwnOutput } from '../outputs/own-outputs.ts';
import { makeFolds } from './train.ts';

/**
 * Draws folds of a data folder, table or feature set, and writes them as a CSV that training takes.
 *
 * @throws InputError when the labels cannot be read
 * @param overwrite whether a file may be replaced that sward did not write
 * @throws UsageError when there are too few groups, or photos lack the date the grouping needs
 */
export async function drawFolds(
  source: string | TrainingSource,
  out: string,
  plan: Partial<FoldPlan> = {},
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<FoldRow[]> {
  await requireOwnOutput('--out', out, 'folds', overwrite);
  const rows = await makeFolds(source, plan);
  await writeFolds(out, rows);
  return rows;
}
