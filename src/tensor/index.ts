export {
  openSafetensors,
  readTensor,
  readTensorAsFloat32,
  type SafetensorsFile,
  type TensorEntry,
  writeSafetensors,
} from '../formats/safetensors/index.ts';
export { bytesPerElement, type DType, isFloating, type TensorArray } from './graph/dtype.ts';
export { gradients, pullBack } from './graph/gradients.ts';
export { decodeNumbers, encodeNumbers } from './graph/half.ts';
export type { Operator } from './graph/operator.ts';
export { type Shape, sizeOf } from './graph/shape.ts';
export {
  constant,
  full,
  type InitialValue,
  input,
  type Parameter,
  parameter,
  randomMask,
  type Tensor,
  type TensorSpec,
} from './graph/tensor.ts';
export * from './losses.ts';
export * from './nn/initializers.ts';
export * from './nn/layers.ts';
export { type LoraOptions, Scope, type ScopeOptions } from './nn/scope.ts';
export { parametersOf } from './onnx/emit.ts';
export { exportOnnx } from './onnx/export.ts';
export { gelu, geluTanh, relu, sigmoid, silu, softplus, tanh } from './operators/activation.ts';
export {
  add,
  clamp,
  divide,
  maximum,
  minimum,
  multiply,
  power,
  square,
  subtract,
} from './operators/arithmetic.ts';
export { type AttentionOptions, attention, joinHeads, splitHeads } from './operators/attention.ts';
export { cast, stopGradient } from './operators/cast.ts';
export { checkpoint } from './operators/checkpoint.ts';
export {
  equal,
  finite,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  where,
} from './operators/comparison.ts';
export { type ConvolutionOptions, convolution } from './operators/convolution.ts';
export { dropWith } from './operators/dropout.ts';
export {
  absolute,
  cosine,
  errorFunction,
  exponential,
  inverseSquareRoot,
  log,
  negate,
  sign,
  sine,
  squareRoot,
} from './operators/elementwise.ts';
export { flip, gather, pad, roll, select, slice, strided } from './operators/indexing.ts';
export {
  concat,
  expand,
  flatten,
  insertAxis,
  reshape,
  split,
  splitEvenly,
  stack,
  swapAxes,
  transpose,
} from './operators/layout.ts';
export { linear, matmul } from './operators/matmul.ts';
export { batchNorm, batchNormTraining, layerNorm, logSoftmax, softmax } from './operators/normalisation.ts';
export { averagePool, globalAveragePool, maxPool, type PoolingOptions } from './operators/pooling.ts';
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
export { type ResizeOptions, resize } from './operators/resize.ts';
export { sampleGrid } from './operators/sampling.ts';
export { windowMerge, windowPartition } from './operators/window.ts';
export { ProgramCache } from './program/cache.ts';
export {
  type CompileOptions,
  compile,
  type Program,
  type ProgramSpec,
  type RunOptions,
  type Update,
} from './program/program.ts';
export { PROVIDERS, type Provider, parseProvider } from './program/provider.ts';
export { loadTensors, saveTensors } from './program/storage.ts';
export type { Feed, TensorData } from './program/values.ts';
export { Variables } from './program/variables.ts';
export type { QuantizationOptions } from './quantize/plan.ts';
export { clipByGlobalNorm, globalNorm } from './training/clipping.ts';
export {
  blockLayer,
  type GroupRule,
  layerwiseDecay,
  parameterGroups,
  ratesByPrefix,
  withoutDecayForSmall,
} from './training/groups.ts';
export {
  type AdamOptions,
  adam,
  adamW,
  type Optimizer,
  type ParameterGroup,
  type SgdOptions,
  sgd,
} from './training/optimizers.ts';
export {
  constantRate,
  cosineWithWarmUp,
  oneCycle,
  plateauFactor,
  type Schedule,
} from './training/schedules.ts';
export type { LossScaling, StepSpec } from './training/step.ts';
export { type StepResult, Training, type TrainingSpec } from './training/training.ts';
