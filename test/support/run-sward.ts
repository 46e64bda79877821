import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The built command line. */
export const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

/** What a run of the command line left behind. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line, or another one, as a person would, in a process of its own and, where one is given, another folder. */
export function runSward(
  args: readonly string[],
  environment: Record<string, string> = {},
  cwd?: string,
  main = MAIN,
): Promise<CommandOutcome> {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [main, ...args], { env, cwd });
  return new Promise((settle, fail) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', fail);
    child.on('close', (code) => settle({ code, stdout, stderr }));
  });
}

/** The last line on stderr: the error a person reads. */
export function errorLine(outcome: CommandOutcome): string {
  return outcome.stderr.trimEnd().split('\n').at(-1) ?? '';
}
