import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

/** A built command that runs. */
export interface Command {
  readonly child: ChildProcess;
  /** Settles when it ends. @throws Error with what it said, where it failed */
  readonly ended: Promise<void>;
  said(): string;
}

/** Starts the built command line, on one processor alone where that is given (taskset, Linux). */
export function start(args: readonly string[], cache: string, processor?: number): Command {
  const [program, ...words] = [
    ...(processor === undefined ? [] : ['taskset', '-c', String(processor)]),
    ...[process.execPath, MAIN, ...args],
  ];
  const child = spawn(program ?? '', words, { env: { ...process.env, SWARD_CACHE: cache } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text: Buffer) => {
      said += text.toString();
    });
  }
  const ended = new Promise<void>((settle, fail) => {
    child.once('close', (code, signal) =>
      code === 0
        ? settle()
        : fail(new Error(`sward ${args[0]} ended with ${code ?? signal}: ${said.slice(-800)}`)),
    );
  });
  // Who is killed on purpose is not waited for.
  ended.catch(() => {});
  return { child, ended, said: () => said };
}

/** Memory of a process that lies in RAM, MiB (Linux); null when it is gone. */
export function residentMebibytes(child: ChildProcess): number | null {
  try {
    const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) / 1024;
  } catch {
    return null;
  }
}

/** Seconds of a processor that a process, with its threads, has used (Linux). */
export function processorSeconds(child: ChildProcess): number {
  const facts = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = facts.slice(facts.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
