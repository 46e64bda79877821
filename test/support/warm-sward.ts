import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type CommandOutcome, MAIN } from './run-sward.ts';

/** Ends what a command says on a stream. */
const END = '\u0004';

/** Runs a command line. */
export type RunsCommands = (...args: string[]) => Promise<CommandOutcome>;

/**
 * Runs commands as `runSward` does, one after the other in one process for a test file: most of what a command costs is
 * loading the program. It must end by itself after the last, as any must. What is about the process itself (signals, its end, its variables) is to start one of its own.
 *
 * @param environment variables beside those of the tests, as they are once the first command runs
 * @param cwd the folder of all these commands, else that of the tests
 */
export function warmSward(
  environment: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): RunsCommands {
  let child: ChildProcess | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const started = (): ChildProcess => {
    const script = join(import.meta.dirname, 'warm-sward.mjs');
    const env = { ...process.env, ...environment };
    const made = spawn(process.execPath, [script, MAIN, END], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    made.once('exit', () => {
      if (child === made) child = undefined;
    });
    return made;
  };
  afterAll(async () => {
    if (!child) return;
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  });
  return (...args) => {
    const outcome = turn.then(() => {
      child ??= started();
      return outcomeOf(child, args, cwd);
    });
    turn = outcome.catch(() => {});
    return outcome;
  };
}

/** What a command says in a process that stays; one that ends the process has said all once its streams are closed. */
function outcomeOf(child: ChildProcess, args: readonly string[], cwd: string): Promise<CommandOutcome> {
  return new Promise((settle, fail) => {
    const said = { stdout: '', stderr: '' };
    let code: number | undefined;
    const end = (outcome: CommandOutcome): void => {
      child.off('message', onCode).off('close', onClose).off('error', fail);
      for (const [stream, listen] of listeners) stream?.off('data', listen);
      settle(outcome);
    };
    const endOnceSaid = (): void => {
      const { stdout, stderr } = said;
      if (code === undefined || !stdout.endsWith(END) || !stderr.endsWith(END)) return;
      end({ code, stdout: stdout.slice(0, -END.length), stderr: stderr.slice(0, -END.length) });
    };
    const listeners = (['stdout', 'stderr'] as const).map((name) => {
      const listen = (text: string): void => {
        said[name] += text;
        endOnceSaid();
      };
      child[name]?.setEncoding('utf8').on('data', listen);
      return [child[name], listen] as const;
    });
    const onCode = (given: unknown): void => {
      code = Number(given);
      endOnceSaid();
    };
    const onClose = (exitCode: number | null): void => end({ code: exitCode, ...said });
    child.on('message', onCode).on('close', onClose).on('error', fail);
    child.send({ args, cwd });
  });
}
