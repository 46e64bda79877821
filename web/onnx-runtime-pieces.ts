import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';
import { cutFile } from '../src/export/browser/stored-files.ts';

/** What the engine imports: pieces of ONNX Runtime's WebAssembly, each in a folder beside the page. */
const MODULE = 'virtual:onnx-runtime';

/** Plain WebAssembly answers every first photo; the one for graphics chips, which every browser that has any runs, is fetched by wish. */
const RUNTIMES = [
  { name: 'runtime', folder: 'runtime', wasm: 'onnxruntime-web/ort-wasm-simd-threaded.wasm' },
  {
    name: 'graphicsRuntime',
    folder: 'graphics',
    wasm: 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm',
  },
] as const;

/** Cuts ONNX Runtime for the web into pieces as models are, so that it is fetched, checked and kept as they are. */
export function onnxRuntimePieces(): Plugin {
  const { resolve } = createRequire(import.meta.url);
  const cut = RUNTIMES.map(({ wasm, ...rest }) => ({ ...rest, ...cutFile(readFileSync(resolve(wasm))) }));
  const code = cut.map(({ name, stored }) => `export const ${name} = ${JSON.stringify(stored)};`).join('\n');
  return {
    name: 'sward-onnx-runtime-pieces',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    load: (id) => (id === `\0${MODULE}` ? code : null),
    generateBundle() {
      for (const { folder, stored, contents } of cut) {
        for (const [index, { file }] of stored.pieces.entries()) {
          this.emitFile({
            type: 'asset',
            fileName: `${folder}/${file}`,
            source: contents[index] as Uint8Array,
          });
        }
      }
    },
  };
}
