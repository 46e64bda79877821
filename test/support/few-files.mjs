/*
 * Preloaded into the command line (`node --import`): when it has been loaded, all file descriptors that the process may
 * have are taken but a few (`FREE_FILES`), as on a machine with a low limit.
 */
import { closeSync, openSync, readdirSync } from 'node:fs';

// What commands load when they begin to work is there before, so that the work itself has too few.
const program = new URL('../../dist/program/', import.meta.url);
const work = readdirSync(program).filter((name) => /^(predict|train)-\w+\.js$/.test(name));
if (work.length !== 2) throw new Error('dist/program has no predict and train of its own');
await Promise.all(work.map((name) => import(new URL(name, program))));

process.on('newListener', function taken(name) {
  if (name !== 'SIGINT') return;
  process.off('newListener', taken);
  const files = [];
  try {
    for (;;) files.push(openSync('/dev/null', 'r'));
  } catch {
    for (const file of files.slice(0, Number(process.env.FREE_FILES))) closeSync(file);
  }
});
