/*
 * Runs one command of sward after another in this process, so that its hundreds of files are loaded once. Each ends with
 * a mark on both streams, which so tell what the command said from what the next one says.
 */
import { setImmediate } from 'node:timers/promises';

const [console, runner, mark] = process.argv.slice(2);
const { sayWarnings } = await import(console);
const { runCommand } = await import(runner);
sayWarnings();

process.on('message', async ({ words, folder }) => {
  process.chdir(folder);
  const code = await runCommand(words);
  // Warnings come a turn later.
  await setImmediate();
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send(code);
});
