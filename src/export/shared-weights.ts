import { createHash } from 'node:crypto';
import type { TensorProto } from 'onnx-buf';
import type { ModelParts } from '../tensor/onnx/model.ts';

/** Smaller ones are not worth a name of their own. */
const LEAST_BYTES = 1024;

/**
 * Weights that stand outside of the bodies that use them, so that several have one copy: backbones of folds that
 * were trained further differ in little.
 */
export class SharedWeights {
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<string, string>();

  /** Moves a body's weights out and leaves their names in it. Changes the parts. */
  take(parts: ModelParts): ModelParts {
    const renamed = new Map<string, string>();
    const kept = parts.initializers.filter((initializer) => {
      if (!isWeight(initializer)) return true;
      renamed.set(initializer.name, this.#nameOf(initializer));
      return false;
    });
    for (const node of parts.nodes) node.input = node.input.map((name) => renamed.get(name) ?? name);
    return { ...parts, initializers: kept };
  }

  #nameOf(initializer: TensorProto): string {
    const key = contentKey(initializer);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `weights-${this.#names.size}/${initializer.name}`;
    this.#names.set(key, name);
    initializer.name = name;
    this.initializers.push(initializer);
    return name;
  }
}

const isWeight = ({ rawData, externalData }: TensorProto): boolean =>
  externalData.length > 0 || rawData.length >= LEAST_BYTES;

/** Tells tensors apart by type, shape and bytes, or by where those lie. */
function contentKey({ dataType, dims, rawData, externalData }: TensorProto): string {
  const place = externalData.map(({ key, value }) => `${key}=${value}`).join();
  const bytes = externalData.length > 0 ? place : createHash('sha256').update(rawData).digest('hex');
  return `${dataType} [${dims.join()}] ${bytes}`;
}
