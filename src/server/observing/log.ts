import pino, { type Logger } from 'pino';

/** Where the server says what it does: one JSON object a line, without tokens, positions or anybody's words. */
export type Log = Logger;

/** A log that writes to a file descriptor, without holding up the server. */
export function openLog(descriptor: number): Log {
  return pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: descriptor, sync: false }),
  );
}
