import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from '../../src/tensor/program/runtime.ts';

/** What ONNX Runtime's profile says of a node that ran. */
interface Event {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

/** Nodes that ran, by provider and operator. */
export type Placement = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Where each node of the programs ran that `work` compiles, runs and disposes. */
export async function placementDuring(work: () => Promise<void>): Promise<Placement> {
  const folder = mkdtempSync(join(tmpdir(), 'sward-placement-'));
  let sessions = 0;
  const create = InferenceSession.create.bind(InferenceSession);
  type Create = (model: Uint8Array, options: InferenceSession.SessionOptions) => Promise<InferenceSession>;
  const watched: Create = (model, options) => {
    const profile = { enableProfiling: true, profileFilePrefix: join(folder, `${sessions++}`) };
    return create(model, { ...options, ...profile });
  };
  InferenceSession.create = watched as typeof InferenceSession.create;
  try {
    await work();
    const placement: Record<string, Record<string, number>> = {};
    for (const file of readdirSync(folder)) {
      const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Event[];
      for (const { cat, name, args: { provider = '', op_name: operator = '' } = {} } of events) {
        if (cat !== 'Node' || provider === '' || !name.endsWith('_kernel_time')) continue;
        const nodes = placement[provider] ?? {};
        placement[provider] = nodes;
        nodes[operator] = (nodes[operator] ?? 0) + 1;
      }
    }
    return placement;
  } finally {
    InferenceSession.create = create;
    rmSync(folder, { recursive: true });
  }
}
