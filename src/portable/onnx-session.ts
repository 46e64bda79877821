import type { PortableSession, PortableTensor } from './portable-run.ts';

/** A session of ONNX Runtime, of whichever of its packages. */
interface OnnxSession<Value> {
  run(feeds: Readonly<Record<string, Value>>): Promise<Readonly<Record<string, { readonly data: unknown }>>>;
  release(): Promise<void>;
}

/**
 * An opened ONNX model whose inputs and outputs are of single precision.
 *
 * @param tensorOf makes what the session is fed
 */
export const portableSession = <Value>(
  session: OnnxSession<Value>,
  tensorOf: (tensor: PortableTensor) => Value,
): PortableSession => ({
  async run(inputs) {
    const feeds = Object.entries(inputs).map(([name, tensor]) => [name, tensorOf(tensor)] as const);
    const outputs = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
    );
  },
  release: () => session.release(),
});
