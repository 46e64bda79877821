import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that has ended well. */
export interface Finished {
  readonly output: string;
  readonly seconds: number;
  /** Most memory that it and the processes it started had at one time, MiB; 0 where the system does not say. */
  readonly peakMib: number;
}

const LOOK_MS = 50;

/**
 * Runs a process to its end, its messages shown when it fails.
 *
 * @param env what its environment has besides, or, undefined, has not
 * @throws Error when it fails
 */
export function finished(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    let messages = '';
    let peakMib = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      messages += chunk.toString();
    });
    const timer = setInterval(() => {
      peakMib = Math.max(peakMib, peakOf(child.pid));
    }, LOOK_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ output, seconds: (performance.now() - started) / 1000, peakMib });
      else reject(new Error(`${command} ${args[0]} ended with ${code}:\n${messages.slice(-4000)}`));
    });
  });
}

/**
 * What a script says of a task, which it is given as JSON and answers by its last line.
 *
 * @throws Error as {@link finished}
 */
export async function answerOf<Answer>(
  python: string,
  script: string,
  task: object,
  env: NodeJS.ProcessEnv,
): Promise<Answer> {
  const { output } = await finished(python, [script, JSON.stringify(task)], env);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Answer;
}

function peakOf(pid: number | string | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const started = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    const own = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    return started.reduce((sum, child) => sum + peakOf(child), own);
  } catch {
    // It has ended, or this is no Linux.
    return 0;
  }
}
