import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Refusal } from '../answers/refusal.ts';
import { storageFailure } from '../storage/disk.ts';

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
  try {
    await pipeline(
      Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0]),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > mostBytes) throw tooLarge;
          yield chunk;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
    ).catch((error: unknown) => {
      throw storageFailure(error);
    });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}
