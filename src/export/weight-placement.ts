import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { TensorProto } from 'onnx-buf';
import { bytesOf } from '../tensor/graph/dtype.ts';
import { initialValues } from '../tensor/graph/values.ts';
import type { Parameter } from '../tensor/index.ts';
import { embeddedInitializer, externalInitializer } from '../tensor/onnx/model.ts';

/** Where the weights of a model go. */
export interface WeightPlacement {
  readonly initializer: (parameter: Parameter) => TensorProto;
  close(): void;
}

/** Weights inside the model. */
export const INSIDE: WeightPlacement = {
  initializer: (parameter) =>
    embeddedInitializer(parameter.name, parameter, bytesOf(initialValues(parameter))),
  close: () => {},
};

/** Where a weight starts: at multiples of this, as memory maps and vector instructions like it. */
const ALIGNMENT = 4096;

/** Weights one after another in a file beside the model, written as they come; the same bytes lie there once. */
export function besideModel(path: string): WeightPlacement {
  const file = openSync(path, 'wx');
  const places = new Map<string, number>();
  let end = 0;
  return {
    initializer(parameter) {
      const bytes = bytesOf(initialValues(parameter));
      const content = createHash('sha256').update(bytes).digest('hex');
      const known = places.get(content);
      const offset = known ?? Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      const place = { location: basename(path), offset, length: bytes.length };
      if (known !== undefined) return externalInitializer(parameter.name, parameter, place);
      places.set(content, offset);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(file, bytes, written, bytes.length - written, offset + written);
      }
      end = offset + bytes.length;
      return externalInitializer(parameter.name, parameter, place);
    },
    close: () => closeSync(file),
  };
}
