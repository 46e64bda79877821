import loader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { countOf } from '../../../src/ground/counts.ts';
import { portableSession } from '../../../src/portable/onnx-session.ts';
import type { PortableSession } from '../../../src/portable/portable-run.ts';

/** More threads than these share the cache of a phone's fast cores badly. */
const MOST_THREADS = 4;

/**
 * Makes ONNX Runtime ready: plain WebAssembly with SIMD, on several threads where the page is isolated from other origins.
 *
 * @param wasm its WebAssembly
 * @returns what it is, for the record of an estimate
 */
export function startRuntime(wasm: Uint8Array): string {
  const threads = globalThis.crossOriginIsolated
    ? Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency))
    : 1;
  env.wasm.wasmBinary = wasm;
  env.wasm.wasmPaths = { mjs: new URL(loader, location.href).href };
  env.wasm.numThreads = threads;
  return `onnxruntime-web ${env.versions.web} wasm, ${countOf(threads, 'thread')}`;
}

/** Opens an ONNX model. */
export async function openSession(model: Uint8Array): Promise<PortableSession> {
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'], logSeverityLevel: 3 });
  return portableSession(session, ({ data, dims }) => new Tensor('float32', data, dims));
}
