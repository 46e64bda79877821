/*
 * Runs one command after the other in a process that keeps what it has loaded: the built program itself, begun anew for
 * each. A byte that no command prints ends what each says on either stream.
 */
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [, , main, end] = process.argv;
const program = new URL('program.js', pathToFileURL(main));
const OF_A_COMMAND = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'warning'];
let begun = 0;

process.on('message', async ({ args, cwd }) => {
  for (const event of OF_A_COMMAND) process.removeAllListeners(event);
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  process.argv = [process.execPath, main, ...args];
  process.exitCode = undefined;
  process.chdir(cwd);
  program.search = String(begun++);
  await import(program);
  // Warnings come a turn later.
  await setImmediate();
  for (const stream of [process.stdout, process.stderr]) stream.write(end);
  process.send(process.exitCode ?? 0);
});
