import { create } from '@bufbuild/protobuf';
import { ValueInfoProtoSchema } from 'onnx-buf';
import { onnxTypeCode } from '../graph/dtype.ts';
import { int } from '../graph/operator.ts';
import { type ModelParts, nodeProto } from '../onnx/model.ts';
import { STOP } from './in-place.ts';

const EMPTY_SEQUENCE = nodeProto('SequenceEmpty', [], [STOP], { dtype: int(onnxTypeCode('float32')) }, '');

const TENSOR = { case: 'tensorType', value: { elemType: onnxTypeCode('float32') } } as const;

const SEQUENCE = create(ValueInfoProtoSchema, {
  name: STOP,
  type: { value: { case: 'sequenceType', value: { elemType: { value: TENSOR } } } },
});

/** The model with the result that `runInPlace` needs. */
export const forRunningInPlace = (parts: ModelParts): ModelParts => ({
  ...parts,
  nodes: [EMPTY_SEQUENCE, ...parts.nodes],
  outputs: [SEQUENCE, ...parts.outputs],
});
