export {
  openSafetensors,
  readTensor,
  readTensorAsFloat32,
  type SafetensorsFile,
  type TensorEntry,
  writeSafetensors,
} from '../formats/safetensors/index.ts';
export { gradients, pullBack } from './autodiff/gradients.ts';
export { checkpoint } from './autodiff/recompute.ts';
export {
  bytesPerElement,
  type DType,
  decodeNumbers,
  encodeNumbers,
  isFloating,
  type TensorArray,
} from './graph/dtype.ts';
export * from './graph/leaves.ts';
export type { InitialValue, Operator, Parameter, Tensor, TensorSpec } from './graph/operator.ts';
export { type Shape, sizeOf } from './graph/shape.ts';
export type { Update } from './graph/update.ts';
export { loadTensors, saveTensors, type TensorData } from './graph/values.ts';
export * from './losses.ts';
export * from './nn/initializers.ts';
export * from './nn/layers.ts';
export { type LoraOptions, Scope, type ScopeOptions } from './nn/scope.ts';
export { parametersOf } from './onnx/emit.ts';
export * from './operators/activation.ts';
export * from './operators/attention.ts';
export * from './operators/convolution.ts';
export * from './operators/elementwise.ts';
export { flip, gather, strided } from './operators/gather.ts';
export { gateMaps } from './operators/gating.ts';
export * from './operators/layout.ts';
export { linear, matmul } from './operators/matmul.ts';
export * from './operators/normalisation.ts';
export * from './operators/pooling.ts';
export {
  l2Normalize,
  logSumExp,
  max,
  mean,
  min,
  type Reduction,
  sum,
  sumOfSquares,
  variance,
} from './operators/reduction.ts';
export * from './operators/resampling.ts';
export * from './operators/slicing.ts';
export type { Precision } from './precision/lists.ts';
export { ProgramCache } from './program/cache.ts';
export { exportOnnx } from './program/export.ts';
export type { Feed } from './program/feeds.ts';
export {
  type CompileOptions,
  compile,
  type Program,
  type ProgramSpec,
  type RunOptions,
} from './program/program.ts';
export { PRECISIONS_ON, PROVIDERS, type Provider } from './program/provider.ts';
export { Sessions } from './program/sessions.ts';
export { Variables } from './program/variables.ts';
export type { QuantizationOptions } from './quantize/plan.ts';
export * from './training/clipping.ts';
export * from './training/groups.ts';
export {
  type AdamOptions,
  adam,
  adamW,
  type Optimizer,
  type ParameterGroup,
  type SgdOptions,
  sgd,
} from './training/optimizers.ts';
export * from './training/schedules.ts';
export type { LossScaling, StepSpec } from './training/step.ts';
export { type StepResult, Training, type TrainingSpec } from './training/training.ts';
