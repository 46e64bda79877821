import { WARNING } from '../ground/cache-file.ts';
import { printable, printableLines } from '../ground/printable.ts';

/** Prints a result on stdout: one JSON value with `--json`, else text; nothing in it is obeyed by a terminal. */
export function printResult(asJson: boolean | undefined, json: () => unknown, text: () => string): void {
  // Escapes as JSON writes them, so that it stays the same JSON.
  process.stdout.write(`${printableLines(asJson ? JSON.stringify(json()) : text())}\n`);
}

/** Says something beside the result on stderr: one line, whatever names and cells it quotes. */
export function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/**
 * Takes failures of the two streams, which nobody else could catch. Who has seen enough and closed the pipe (`| head`) is
 * no failure: what was asked for is done all the same.
 *
 * @param onFailure told why the result cannot be written, as on a full disk
 */
export function watchStreams(onFailure: (error: Error) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') onFailure(error);
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
}

/** Says what the process is warned of in one line, in place of what Node.js writes of it. */
export function sayWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    say(`${name === WARNING ? 'warning' : name}: ${message}`);
  });
}
