import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { modelBytes } from '../tensor/onnx/model.ts';
import { type MassModel, massModelParts } from './mass-model.ts';
import { besideModel, INSIDE, type WeightPlacement } from './weight-placement.ts';

const PROTOBUF_LIMIT_BYTES = 2 ** 31 - 1;

/** Up to which size weights go into the model; what is no weight, as training photos of kernels, needs room too. */
const INSIDE_LIMIT_BYTES = PROTOBUF_LIMIT_BYTES - 2 ** 27;

/**
 * Writes an ONNX model into a folder: one file with its weights, or, where they are too large for one, with a file
 * of them beside it.
 *
 * @param stem name of the files without ending
 * @param insideLimitBytes up to which size weights go into the model
 * @returns names of the files, the model first
 * @throws UsageError when the model is too large all the same
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
    const bytes = modelBytes({ ...parts, metadata });
    if (bytes.length > PROTOBUF_LIMIT_BYTES) {
      const what = 'exceeds the 2 GiB of one ONNX file with what is not weights of single precision';
      throw new UsageError(`the model ${what}; export with --precision fp32, or fewer members`);
    }
    await writeFile(join(folder, `${stem}.onnx`), bytes);
  } finally {
    placement.close();
  }
  return files;
}
