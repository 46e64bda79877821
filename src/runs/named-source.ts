import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isTableName } from '../formats/spreadsheet.ts';
import { requireFrameArea } from '../pasture/units.ts';
import type { TrainingSource } from './training-data.ts';

/**
 * A source, or the path of one: a data folder, or a table of one's own, whose photos then lie beside it.
 *
 * @throws UsageError for an area that no frame has
 */
export async function namedSource(source: string | TrainingSource): Promise<TrainingSource> {
  if (typeof source !== 'string') {
    requireFrameArea(source.areaSquareMetres);
    return source;
  }
  const facts = await stat(source).catch(() => null);
  const isTable = facts ? !facts.isDirectory() : isTableName(source);
  return isTable
    ? { kind: 'table', table: source, photos: dirname(source) }
    : { kind: 'folder', folder: source };
}
