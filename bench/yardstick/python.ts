import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** `SWARD_PYTHON`, or what Python there is. */
const PYTHONS = [
  ...(process.env.SWARD_PYTHON ? [process.env.SWARD_PYTHON] : []),
  'python3',
  '/usr/bin/python3',
];

/**
 * Pythons of this machine that have all of some modules, each looked at when it is asked for.
 *
 * @param env what their environment has besides, or, undefined, has not
 */
export function* pythonsWith(modules: readonly string[], env: NodeJS.ProcessEnv = {}): Generator<string> {
  const options = { stdio: 'ignore', env: { ...process.env, ...env } } as const;
  for (const python of PYTHONS) {
    if (spawnSync(python, ['-c', `import ${modules.join(', ')}`], options).status === 0) yield python;
  }
}

/** Where Debian keeps the fast library for matrix products; the plain one is many times slower. */
const OPENBLAS = '/usr/lib/x86_64-linux-gnu/openblas-pthread';

/** What an environment has besides, or has not, so that nothing but PyTorch itself makes PyTorch slow. */
export const UNHINDERED: NodeJS.ProcessEnv = {
  LD_LIBRARY_PATH: [existsSync(OPENBLAS) ? OPENBLAS : '', process.env.LD_LIBRARY_PATH]
    .filter(Boolean)
    .join(':'),
  // Settings that hold OpenBLAS to an older processor's kernels.
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
};

/** As {@link UNHINDERED}; nor does an allocator slow it down that gives large tensors back to the system after every operation. */
export const AT_ITS_BEST: NodeJS.ProcessEnv = {
  ...UNHINDERED,
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
  MALLOC_TOP_PAD_: String(2 ** 28),
};
