import { type ChildProcess, spawn } from 'node:child_process';
import { MAIN } from './run-sward.ts';

/** A command that runs beside the test. */
export interface SwardProcess {
  readonly process: ChildProcess;
  /** What it has said on stderr. */
  said(): string;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly stdout: string;
  }>;
}

/** Starts the built command line and does not wait for it. */
export const startSward = (
  args: readonly string[],
  variables: Record<string, string> = {},
  cwd?: string,
): SwardProcess => startScript(MAIN, args, variables, cwd);

/** As {@link startSward}, of another script. */
export function startScript(
  script: string,
  args: readonly string[],
  variables: Record<string, string> = {},
  cwd?: string,
): SwardProcess {
  const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...variables }, cwd });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  return {
    process: child,
    said: () => stderr,
    ended: new Promise((settle) => child.on('close', (code, signal) => settle({ code, signal, stdout }))),
  };
}
