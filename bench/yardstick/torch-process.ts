import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pythonsWith, UNHINDERED } from './python.ts';

/** PyTorch in a process of its own, which trains on demand. */
export interface TorchTraining {
  /** Its version and the library behind its matrix products. */
  readonly description: string;
  /** One step of AdamW. */
  readonly step: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Starts a program that imports the modules given, describes itself in a line and then does one step for every line it
 * reads, and answers with a line. Null where no Python on this machine has the modules.
 */
export async function startTorchProgram(
  program: string,
  spec: object,
  { threads, modules }: { readonly threads: number; readonly modules: readonly string[] },
): Promise<TorchTraining | null> {
  const env = {
    ...process.env,
    ...UNHINDERED,
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
  };
  for (const python of pythonsWith(modules, env)) {
    const child = spawn(python, ['-c', program, JSON.stringify({ ...spec, threads })], { env });
    child.stderr.pipe(process.stderr);
    const answers = linesOf(child);
    const { value: description } = await answers.next();
    if (description === undefined) continue;
    return {
      description,
      step: async () => {
        child.stdin.write('step\n');
        if ((await answers.next()).done) throw new Error('PyTorch ended before its step was done');
      },
      close: () => child.stdin.end(),
    };
  }
  return null;
}

async function* linesOf(child: ChildProcessWithoutNullStreams): AsyncGenerator<string, undefined> {
  yield* createInterface({ input: child.stdout });
  return undefined;
}
