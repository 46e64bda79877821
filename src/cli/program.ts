import { removeTemporaries } from '../ground/files.ts';
import { say, sayWarnings, watchStreams } from './console.ts';
import { endProgress } from './console-progress.ts';
import { FAILED, runCommand, tell } from './run-command.ts';

const words = process.argv.slice(2);

/** What a shell counts on when a signal ends a command: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

for (const [signal, code] of Object.entries(SIGNALS)) {
  process.once(signal, () => {
    removeTemporaries();
    endProgress();
    process.exit(code);
  });
}

// What a library throws where nobody can catch it.
process.on('uncaughtException', (error) => {
  removeTemporaries();
  process.exit(tell(error, words));
});

sayWarnings();

let isPrinted = true;
watchStreams((error) => {
  isPrinted = false;
  process.exitCode = FAILED;
  say(`error: the result cannot be printed (${error.message})`);
});

const code = await runCommand(words);
// A failure to print may be known only after.
if (isPrinted) process.exitCode = code;
