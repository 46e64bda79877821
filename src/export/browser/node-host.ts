import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { InputError } from '../../ground/errors.ts';
import type { PortableHost } from '../../portable/portable-run.ts';
import { int8ProductsOverflow } from '../../tensor/program/processor.ts';

/** A folder that was exported for browsers, run by Node: what an export is checked with before it is handed out. */
export const nodeHost = (folder: string): PortableHost => ({
  async read({ bytes, pieces }) {
    const whole = new Uint8Array(bytes);
    let at = 0;
    for (const { file, sha256 } of pieces) {
      const piece = await readFile(join(folder, file));
      if (createHash('sha256').update(piece).digest('hex') !== sha256) {
        throw new InputError(join(folder, file), 'is damaged', 'export the run again');
      }
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  },
  async open(model) {
    const session = await InferenceSession.create(model, {
      logSeverityLevel: 3,
      ...(int8ProductsOverflow() && { extra: { session: { x64quantprecision: '1' } } }),
    });
    return {
      async run(inputs) {
        const feeds = Object.entries(inputs).map(
          ([name, { data, dims }]) => [name, new Tensor('float32', data, dims)] as const,
        );
        const outputs = await session.run(Object.fromEntries(feeds));
        return Object.fromEntries(
          Object.entries(outputs).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
        );
      },
      release: () => session.release(),
    };
  },
});
