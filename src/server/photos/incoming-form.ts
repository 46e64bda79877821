import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Refusal } from '../answers/refusal.ts';
import { storageFailure } from '../storage/disk.ts';

/** How long a body may send nothing. */
const STALL_MS = 30_000;

/**
 * Puts the body of a request into a file for the time of `use`: it is never held in the memory of the server, whose
 * one thread does not read it either.
 *
 * @param mostBytes longer bodies are refused
 * @param tooLarge what they are refused with
 * @throws Refusal
 */
export async function withBodyFile<Result>(
  request: Request,
  scratch: string,
  mostBytes: number,
  tooLarge: Refusal,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge;
  if (!request.body) throw new Refusal(400, 'bad-request', 'the request has no body');
  const path = join(scratch, `body-${randomUUID()}`);
  let bytes = 0;
  // Whoever has stopped sending keeps a place from others.
  const stalled = new AbortController();
  const stall = (): void =>
    stalled.abort(new Refusal(408, 'stalled', `nothing came for ${STALL_MS / 1000} s`));
  const timer = setTimeout(stall, STALL_MS);
  try {
    await pipeline(
      Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0]),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          timer.refresh();
          bytes += chunk.length;
          if (bytes > mostBytes) throw tooLarge;
          yield chunk;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
      { signal: stalled.signal },
    )
      .catch((error: unknown) => {
        throw stalled.signal.aborted ? stalled.signal.reason : storageFailure(error);
      })
      .finally(() => clearTimeout(timer));
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}
