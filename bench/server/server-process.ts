import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** The built command line. */
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

/** A server in a process of its own, with an owner's token. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly address: string;
  /** What it printed on standard error. */
  readonly log: () => string;
}

/** Starts `sward serve`, and waits until it listens. */
export async function startProcess(
  data: string,
  ...options: string[]
): Promise<ServerProcess & { link: string | null }> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--data', data, '--port', '0', ...options]);
  let said = '';
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    log = `${log}${chunk.toString()}`.slice(-20_000);
  });
  while (!/listens at \S+,.*\n/.test(said)) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${log}`);
    await pause(20);
  }
  // The owner link, where there is one, comes with the same write or the next.
  await pause(100);
  return {
    process: child,
    address: /listens at (\S+),/.exec(said)?.[1] ?? '',
    link: /(http\S+#pair=\S+)/.exec(said)?.[1] ?? null,
    log: () => log,
  };
}

/** Takes up a pairing link. @returns the token */
export async function pair(address: string, link: string): Promise<string> {
  const answer = await fetch(`${address}/api/devices/pair`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: link.split('#pair=')[1] }),
  });
  return ((await answer.json()) as { token: string }).token;
}

/** Runs a command of `sward serve`. @returns its exit code and what it said */
export function serveCommand(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [MAIN, 'serve', ...args]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  return new Promise((settle) => child.once('close', (code) => settle({ code, said })));
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((settle) => setTimeout(settle, milliseconds));
