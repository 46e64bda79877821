/*
 * ONNX Runtime as everything in sward takes it: loaded after the variable that keeps it from reporting to its makers.
 */
import './no-telemetry.ts';

export { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
