/** What `onnx-runtime-pieces.ts` makes at build. */
declare module 'virtual:onnx-runtime' {
  const runtime: import('../../../src/portable/model.ts').StoredFile;
  export default runtime;
}
