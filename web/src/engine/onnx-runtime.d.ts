/** What `onnx-runtime-pieces.ts` makes at build. */
declare module 'virtual:onnx-runtime' {
  type StoredFile = import('../../../src/portable/model.ts').StoredFile;
  /** In the folder `runtime`. */
  export const runtime: StoredFile;
  /** In the folder `graphics`. */
  export const graphicsRuntime: StoredFile;
}
