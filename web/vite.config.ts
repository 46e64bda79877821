import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { onnxRuntimePieces } from './onnx-runtime-pieces.ts';

/** How long plugins took is nothing to whoever starts sward. */
const rolldownOptions = { checks: { bundlerTimings: false } };

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Wherever it is served from.
  base: './',
  plugins: [onnxRuntimePieces()],
  worker: { format: 'es', rolldownOptions, plugins: () => [onnxRuntimePieces()] },
  // The runtime's loader stays a file of its own: its threads start from it.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  build: {
    outDir: fileURLToPath(new URL('../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions,
    // libheif, which is loaded with the first HEIC.
    chunkSizeWarningLimit: 2100,
  },
});
