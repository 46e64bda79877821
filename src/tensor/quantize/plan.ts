import type { TensorProto } from 'onnx-buf';
import { InputError } from '../../ground/errors.ts';
import { bytesOf, decodeNumbers } from '../graph/dtype.ts';
import {
  type Emission,
  int,
  isParameter,
  type Operation,
  operationOf,
  type Parameter,
  type Tensor,
} from '../graph/operator.ts';
import { lengthAt } from '../graph/shape.ts';
import { operationsBefore } from '../graph/traverse.ts';
import { fileValue, initialValues } from '../graph/values.ts';
import type { Replacement } from '../onnx/emit.ts';
import { embeddedInitializer, initializersInPlace } from '../onnx/model.ts';
import { LINEAR_OPERATOR } from '../operators/matmul.ts';
import { cachedQuantization } from './cache.ts';
import { INT4_BLOCK, type QuantizedWeight, quantizeInt4, quantizeInt8 } from './weights.ts';

export interface QuantizationOptions {
  /**
   * `int8`: weights of 8 bits, a scale an output, activations quantised as they come (fastest on a CPU).
   * `int4`: weights of 4 bits, a scale for every 32 inputs (smallest).
   */
  readonly weights: 'int8' | 'int4';
  /** Folder in which quantised weights are kept for the next time. Without one they are made anew. */
  readonly cacheFolder?: string;
}

/**
 * Stand-ins for the linear layers of a graph whose weights are frozen parameters.
 *
 * @param placement whether quantised weights are read from the cache's files in place, or become part of the
 *   model, as an export needs
 */
export async function quantizedReplacements(
  outputs: readonly Tensor[],
  options: QuantizationOptions,
  placement: 'in place' | 'embedded' = 'in place',
): Promise<ReadonlyMap<Operation, Replacement>> {
  const replacements = new Map<Operation, Replacement>();
  const known = new Set<Parameter>();
  for (const operation of operationsBefore(outputs)) {
    const weight = operation.operator === LINEAR_OPERATOR ? frozenWeight(operation) : undefined;
    if (weight === undefined) continue;
    // A weight that two layers share is stored once.
    const initializers = known.has(weight) ? [] : await initializersFor(weight, options, placement);
    known.add(weight);
    const emit = options.weights === 'int8' ? emitInt8 : emitInt4;
    replacements.set(operation, {
      initializers,
      emit: (emission, inputs) => [emit(emission, inputs, weight)],
    });
  }
  return replacements;
}

/** The parameter behind a layer's weight when it is frozen, also if it is only cast to the compute type. */
function frozenWeight(operation: Operation): Parameter | undefined {
  let weight = operation.inputs[1] as Tensor;
  const before = operationOf(weight);
  if (before?.operator.name === 'cast') weight = before.inputs[0] as Tensor;
  return isParameter(weight) && !weight.variable ? weight : undefined;
}

async function initializersFor(
  weight: Parameter,
  { weights, cacheFolder }: QuantizationOptions,
  placement: 'in place' | 'embedded',
): Promise<readonly TensorProto[]> {
  const make = (): QuantizedWeight => {
    const numbers = decodeNumbers(weight.dtype, initialValues(weight));
    const quantize = weights === 'int8' ? quantizeInt8 : quantizeInt4;
    return quantize(numbers, lengthAt(weight.shape, 0), lengthAt(weight.shape, 1));
  };
  if (cacheFolder === undefined || placement === 'embedded') {
    const { values, scales } = make();
    return [
      embeddedInitializer(partName(weight, 'values'), values, bytesOf(values.values)),
      embeddedInitializer(partName(weight, 'scales'), scales, bytesOf(scales.values)),
    ];
  }
  const file = await cachedQuantization(cacheFolder, weight, weights, make);
  const inPlace = initializersInPlace();
  return (['values', 'scales'] as const).map((part) => {
    const entry = file.tensors.get(part);
    if (entry === undefined) throw new InputError(file.path, `there is no "${part}"`, 'delete the file');
    const value = fileValue(file, entry);
    return inPlace(partName(weight, part), { dtype: value.dtype, shape: entry.shape }, value);
  });
}

const partName = (weight: Parameter, part: string): string => `${weight.name}/${part}`;

function emitInt8(emission: Emission, [x = '', bias = '']: readonly string[], weight: Parameter): string {
  // Signed and without a zero point: for an unsigned weight ONNX Runtime leaves the fast kernel (5 times slower).
  const inputs = [x, partName(weight, 'values'), partName(weight, 'scales')];
  return emission.node('DynamicQuantizeMatMul', bias ? [...inputs, '', bias] : inputs, {}, 'com.microsoft');
}

/** Let the kernel round activations to int8, block by block: half the time, next to no error. */
const ACCURACY_LEVEL = 4;

function emitInt4(emission: Emission, [x = '', bias = '']: readonly string[], weight: Parameter): string {
  const product = emission.node(
    'MatMulNBits',
    [x, partName(weight, 'values'), partName(weight, 'scales')],
    {
      K: int(lengthAt(weight.shape, 1)),
      N: int(lengthAt(weight.shape, 0)),
      bits: int(4),
      block_size: int(INT4_BLOCK),
      accuracy_level: int(ACCURACY_LEVEL),
    },
    'com.microsoft',
  );
  return bias ? emission.node('Add', [product, bias]) : product;
}
