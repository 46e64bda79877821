import { UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { bytesOf } from '../graph/dtype.ts';
import type { Tensor } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import { initialValues } from '../graph/values.ts';
import { emitModel, parametersOf } from '../onnx/emit.ts';
import { embeddedInitializer, modelBytes } from '../onnx/model.ts';
import { type QuantizationOptions, quantizedReplacements } from '../quantize/plan.ts';
import type { Variables } from './variables.ts';

/** Protobuf refuses messages of 2 GiB and more. */
const SIZE_LIMIT = 2 ** 31 - 2 ** 20;

/**
 * Writes outputs as one self-contained ONNX file: weights inside, no file beside it, no feeding of parameters.
 * It opens in stock ONNX Runtime 1.18 and later (opset 21, and Microsoft's own operators where they are fused).
 *
 * @param options `variables` holds the values of variable parameters; `quantize` stores frozen linear layers
 *   as int8 or 4-bit
 * @throws UsageError when the weights exceed protobuf's 2 GiB; quantise them then
 */
export async function exportOnnx(
  path: string,
  outputs: Readonly<Record<string, Tensor>>,
  options: {
    readonly variables?: Variables;
    readonly quantize?: QuantizationOptions;
    readonly metadata?: Readonly<Record<string, string>>;
  } = {},
): Promise<void> {
  const { variables, quantize, metadata } = options;
  const targets = Object.values(outputs);
  const replacements = quantize && (await quantizedReplacements(targets, quantize, 'embedded'));
  const model = emitModel({
    outputs,
    isFed: () => false,
    initializer: (parameter) => {
      const values = parameter.variable && variables ? variables.values(parameter) : initialValues(parameter);
      return embeddedInitializer(parameter.name, parameter, bytesOf(values));
    },
    ...(replacements && { replacements }),
  });
  const size = model.parts.initializers.reduce((total, tensor) => total + (tensor.rawData?.length ?? 0), 0);
  if (size > SIZE_LIMIT) {
    const count = parametersOf(targets).reduce((total, { shape }) => total + sizeOf(shape), 0);
    throw new UsageError(
      `${path}: ${count} weights exceed ONNX's 2 GiB for one file; export with int8 or int4`,
    );
  }
  await writeFileAtomically(path, modelBytes({ ...model.parts, ...(metadata && { metadata }) }));
}
