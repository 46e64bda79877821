import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { portableSession } from '../../portable/onnx-session.ts';
import type { PortableHost } from '../../portable/portable-run.ts';
import { int8ProductsOverflow } from '../../tensor/program/processor.ts';
import { InferenceSession, Tensor } from '../../tensor/program/runtime.ts';

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
    return portableSession(session, ({ data, dims }) => new Tensor('float32', data, dims));
  },
});
