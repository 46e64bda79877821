import { realpathSync } from 'node:fs';
import { parse, relative } from 'node:path';
import type { TensorProto } from 'onnx-buf';
import { InputError } from '../../ground/errors.ts';
import type { FileValue, TensorSpec } from '../graph/tensor.ts';
import { externalInitializer } from '../onnx/model.ts';

/**
 * Folder that locations of external weights are relative to. ONNX Runtime refuses absolute locations and ones
 * that leave the folder, but lets us name it: the root of the file system holds every file.
 */
export const LOCATION_ROOT = parse(process.cwd()).root;

/** An initializer that is read from its file in place. @throws InputError when the file is gone */
export function initializerInPlace(name: string, spec: TensorSpec, value: FileValue): TensorProto {
  const { path, offset, length } = value;
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    throw new InputError(path, 'the file with the weights is gone', 'fetch it again');
  }
  if (parse(real).root !== LOCATION_ROOT) {
    throw new InputError(
      path,
      `weights must be on drive ${LOCATION_ROOT}`,
      'start sward from the weights’ drive',
    );
  }
  return externalInitializer(name, spec, { location: relative(LOCATION_ROOT, real), offset, length });
}
