/*
 * Preloaded into the command line (`node --import`): when it has been loaded, all file descriptors that the process may
 * have are taken but a few (`FREE_FILES`), as on a machine with a low limit.
 */
import { closeSync, openSync } from 'node:fs';

// What commands load when they begin to work is there before, so that the work itself has too few.
await Promise.all(
  ['predict/predict', 'train/train'].map((name) => import(`../../dist/workflows/${name}.js`)),
);

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
