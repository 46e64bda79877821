/*
 * Threads that call native add-ons (ONNX Runtime, sharp). Node aborts where one is ended in the midst of such a call, or
 * while it loads the add-on, and a process that exits ends its threads. So an exit lets what runs come to its end first,
 * and nothing new begins.
 */

/** Memory that a process shares with such threads of its own: how many calls are under way, and whether it exits. */
export type Gate = Int32Array<SharedArrayBuffer>;

const BUSY = 0;
const CLOSING = 1;

/** An exit waits no longer than this for what runs. */
const PATIENCE_MS = 10_000;

let gate: Gate | undefined;

/** That of this process. Its threads count as busy from their start until they {@link enter}. */
export function gateFor(threads: number): Gate {
  gate ??= openGate();
  Atomics.add(gate, BUSY, threads);
  return gate;
}

function openGate(): Gate {
  const opened = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  process.once('exit', () => close(opened));
  return opened;
}

function close(opened: Gate): void {
  Atomics.store(opened, CLOSING, 1);
  const end = performance.now() + PATIENCE_MS;
  for (let left = PATIENCE_MS; left > 0; left = end - performance.now()) {
    const busy = Atomics.load(opened, BUSY);
    if (busy <= 0) return;
    Atomics.wait(opened, BUSY, busy, left);
  }
}

function leave(opened: Gate): void {
  Atomics.sub(opened, BUSY, 1);
  Atomics.notify(opened, BUSY);
}

/** A thread says that it has loaded what it needs. */
export const enter = leave;

/** Does work of a thread that must not be ended in its midst; once the process exits nothing begins any more. */
export async function passing<Result>(opened: Gate, work: () => Promise<Result>): Promise<Result> {
  Atomics.add(opened, BUSY, 1);
  try {
    if (Atomics.load(opened, CLOSING) === 0) return await work();
  } finally {
    leave(opened);
  }
  return new Promise(() => {});
}
