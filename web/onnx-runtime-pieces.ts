import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';
import { cutFile } from '../src/export/browser/stored-files.ts';

/** What the engine imports: pieces of ONNX Runtime's WebAssembly, in the folder `runtime` beside the page. */
const MODULE = 'virtual:onnx-runtime';
const WASM = 'onnxruntime-web/ort-wasm-simd-threaded.wasm';

/**
 * Cuts ONNX Runtime for the web (plain WebAssembly: no graphics card, no asyncify) into pieces as models are, so that it is
 * fetched, checked and kept as they are.
 */
export function onnxRuntimePieces(): Plugin {
  const wasm = createRequire(import.meta.url).resolve(WASM);
  const { stored, contents } = cutFile(readFileSync(wasm));
  return {
    name: 'sward-onnx-runtime-pieces',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load: (id) => (id === `\0${MODULE}` ? `export default ${JSON.stringify(stored)};` : null),
    generateBundle() {
      for (const [index, { file }] of stored.pieces.entries()) {
        this.emitFile({ type: 'asset', fileName: `runtime/${file}`, source: contents[index] as Uint8Array });
      }
    },
  };
}
