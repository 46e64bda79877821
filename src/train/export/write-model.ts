import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelBytes } from '../../tensor/onnx/model.ts';
import { type MassModel, massModelParts } from './mass-model.ts';
import { besideModel, INSIDE, type WeightPlacement } from './weight-placement.ts';

/** Protobuf refuses messages of 2 GiB; what is not weights needs room as well. */
const INSIDE_LIMIT_BYTES = 2 ** 31 - 2 ** 27;

/**
 * Writes an ONNX model into a folder: one file with its weights, or, where they are too large for one, with a file
 * of them beside it.
 *
 * @param stem name of the files without ending
 * @param insideLimitBytes up to which size of the backbone's weights they go into the model
 * @returns names of the files, the model first
 */
export async function writeMassModel(
  folder: string,
  stem: string,
  model: MassModel,
  metadata: Readonly<Record<string, string>>,
  insideLimitBytes = INSIDE_LIMIT_BYTES,
): Promise<string[]> {
  const files = [`${stem}.onnx`];
  let placement: WeightPlacement = INSIDE;
  try {
    const parts = await massModelParts(model, (bytes) => {
      if (bytes > insideLimitBytes) {
        const beside = `${stem}.onnx.data`;
        placement = besideModel(join(folder, beside));
        files.push(beside);
      }
      return placement;
    });
    await writeFile(join(folder, `${stem}.onnx`), modelBytes({ ...parts, metadata }));
  } finally {
    placement.close();
  }
  return files;
}
