import { InferenceSession } from 'onnxruntime-node';
import { int8ProductsOverflow } from '../../src/tensor/program/processor.ts';

/**
 * Opens an exported model in ONNX Runtime as docs/export.md tells its users to: with the setting that keeps int8
 * products exact on processors that need it, and nothing else of sward.
 */
export const stockSession = (path: string): Promise<InferenceSession> =>
  InferenceSession.create(path, {
    logSeverityLevel: 3,
    ...(int8ProductsOverflow() && { extra: { session: { x64quantprecision: '1' } } }),
  });
