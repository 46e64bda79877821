import { join } from 'node:path';
import { makeFolder } from '../ground/files.ts';
import type { FittedModel } from '../learning/estimator.ts';

/** Writes a model that is part of another into a folder of its own inside the other's. */
export async function writeInner(
  model: Pick<FittedModel, 'write'>,
  folder: string,
  name: string,
): Promise<void> {
  const inner = join(folder, name);
  await makeFolder(inner);
  await model.write(inner);
}
