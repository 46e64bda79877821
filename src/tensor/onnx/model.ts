import { realpathSync } from 'node:fs';
import { parse, relative } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  TensorProto_DataLocation as DataLocation,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { InputError } from '../../ground/errors.ts';
import { type DType, onnxTypeCode } from '../graph/dtype.ts';
import type { Attribute, FileValue, TensorSpec } from '../graph/operator.ts';
import { BLOCKED_DOMAIN } from '../operators/channel-blocks.ts';

/** ONNX 1.16: the first with every operator sward emits. */
const OPSET = 21n;
const IR_VERSION = 10n;

/** The parts of an ONNX model, ready to be written. */
export interface ModelParts {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly declared: readonly ValueInfoProto[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The parts as a graph: a model's own, or the body of one of its nodes. */
export function graphProto(name: string, parts: ModelParts): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: [...parts.nodes],
    initializer: [...parts.initializers],
    input: [...parts.inputs],
    output: [...parts.outputs],
    valueInfo: [...parts.declared],
  });
}

/** The bytes of an ONNX model file. */
export function modelBytes(parts: ModelParts): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'sward',
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: 1n },
      { domain: 'ai.onnx.ml', version: 3n },
      ...(parts.nodes.some(({ domain }) => domain === BLOCKED_DOMAIN)
        ? [{ domain: BLOCKED_DOMAIN, version: 1n }]
        : []),
    ],
    graph: graphProto('sward', parts),
    metadataProps: pairs(parts.metadata ?? {}),
  });
  return toBinary(ModelProtoSchema, model);
}

/** One node. */
export function nodeProto(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
  domain: string,
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    domain,
    // The first output's name is unique, and tells profiles apart.
    name: outputs[0] ?? opType,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...value })),
  });
}

/** The declaration of a value: its name, element type and shape; a length that is open has a name instead. */
export function valueInfo(
  name: string,
  spec: { readonly dtype: DType; readonly shape: readonly (number | string)[] },
): ValueInfoProto {
  const dim = spec.shape.map((length) => ({
    value:
      typeof length === 'string'
        ? ({ case: 'dimParam', value: length } as const)
        : ({ case: 'dimValue', value: BigInt(length) } as const),
  }));
  const tensor = { elemType: onnxTypeCode(spec.dtype), shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensor } } });
}

/** An initializer whose bytes are part of the model. */
export const embeddedInitializer = (name: string, spec: TensorSpec, bytes: Uint8Array): TensorProto =>
  // A copy, because the array may change before the model is written.
  initializer(name, spec, { rawData: bytes.slice() });

/** An initializer whose bytes lie in another file, at `offset`, used in place. */
export const externalInitializer = (
  name: string,
  spec: TensorSpec,
  {
    location,
    offset,
    length,
  }: { readonly location: string; readonly offset: number; readonly length: number },
): TensorProto =>
  initializer(name, spec, {
    dataLocation: DataLocation.EXTERNAL,
    externalData: pairs({ location, offset: String(offset), length: String(length) }),
  });

const initializer = (
  name: string,
  { dtype, shape }: TensorSpec,
  content: MessageInitShape<typeof TensorProtoSchema>,
): TensorProto =>
  create(TensorProtoSchema, { name, dataType: onnxTypeCode(dtype), dims: shape.map(BigInt), ...content });

const pairs = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([key, value]) => ({ key, value }));

/**
 * Folder that locations of external weights are relative to. ONNX Runtime refuses absolute locations and ones
 * that leave the folder, but lets us name it: the root of the file system holds every file.
 */
export const LOCATION_ROOT = parse(process.cwd()).root;

/**
 * Makes initializers that are read from their files in place; where a file lies is looked up once.
 *
 * @throws InputError when the file is gone
 */
export function initializersInPlace(): (name: string, spec: TensorSpec, value: FileValue) => TensorProto {
  const locations = new Map<string, string>();
  return (name, spec, { path, offset, length }) => {
    const location = locations.get(path) ?? locationOf(path);
    locations.set(path, location);
    return externalInitializer(name, spec, { location, offset, length });
  };
}

/** Where a file lies, seen from the root. @throws InputError when it is gone */
function locationOf(path: string): string {
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
  return relative(LOCATION_ROOT, real);
}
