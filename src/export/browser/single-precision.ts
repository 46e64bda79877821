import type { TensorProto, ValueInfoProto } from 'onnx-buf';
import { onnxTypeCode } from '../../tensor/graph/dtype.ts';
import type { ModelParts } from '../../tensor/onnx/model.ts';

const [SINGLE, DOUBLE] = [onnxTypeCode('float32'), onnxTypeCode('float64')];

/**
 * The same parts with single precision in place of double: graphics cards of browsers have no other. Changes them. No
 * node may hold a graph of its own.
 */
export function inSinglePrecision(parts: ModelParts): ModelParts {
  for (const { opType, attribute } of parts.nodes) {
    for (const one of attribute) {
      if (one.g) throw new RangeError(`${opType} holds a graph, whose precision is not changed`);
      if (opType === 'Cast' && one.name === 'to' && one.i === BigInt(DOUBLE)) one.i = BigInt(SINGLE);
    }
  }
  for (const tensor of parts.initializers) if (tensor.dataType === DOUBLE) narrow(tensor);
  for (const info of [...parts.inputs, ...parts.outputs, ...parts.declared]) narrowInfo(info);
  return parts;
}

function narrow(tensor: TensorProto): void {
  // A copy, whose start is where doubles may start.
  const doubles = new Float64Array(tensor.rawData.slice().buffer);
  tensor.rawData = new Uint8Array(Float32Array.from(doubles).buffer);
  tensor.dataType = SINGLE;
}

function narrowInfo({ type }: ValueInfoProto): void {
  if (type?.value.case !== 'tensorType') return;
  const tensor = type.value.value;
  if (tensor.elemType === DOUBLE) tensor.elemType = SINGLE;
}
