#!/usr/bin/env node
/*
 * Loads the program, which is many files that Node opens at once: where so many may not be open, nothing of it can say so.
 */
try {
  await import('./program.ts');
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'EMFILE')) throw error;
  process.stderr.write(
    'error: sward cannot be loaded: too many files are open; raise the limit (ulimit -n)\n',
  );
  process.exitCode = 1;
}
