import crypto from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import S3rver from 's3rver';

/** A store of objects on this machine. */
export interface LocalObjectStore {
  /** What sward's processes are told of it. */
  readonly variables: Record<string, string>;
  /** Requests so far, as `GET /bucket/key`. */
  readonly requests: string[];
  /** Answers this many requests that match with an error of the server. */
  failNext(pattern: RegExp, times: number): void;
  end(): Promise<void>;
}

/** s3rver hides by DES, which OpenSSL 3 has not, where a list goes on; here it stands as it is. */
function replaceDes(): void {
  const plain = { update: (text: string | Buffer) => Buffer.from(text), final: () => Buffer.alloc(0) };
  for (const name of ['createCipheriv', 'createDecipheriv'] as const) {
    const original = crypto[name] as (...args: unknown[]) => unknown;
    Object.assign(crypto, {
      [name]: (algorithm: string, ...rest: unknown[]) =>
        algorithm === 'des' ? plain : original(algorithm, ...rest),
    });
  }
}

/**
 * Starts s3rver in a folder, with a bucket, and in front of it what it lacks: `If-None-Match: *` of a PUT, one at a time.
 *
 * @param isConditional whether it has that
 */
export async function startObjectStore(
  folder: string,
  bucket: string,
  isConditional = true,
): Promise<LocalObjectStore> {
  replaceDes();
  mkdirSync(join(folder, bucket), { recursive: true });
  const rver = new S3rver({
    directory: folder,
    silent: true,
    resetOnClose: false,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const handle = rver.callback() as (request: IncomingMessage, response: ServerResponse) => void;
  const requests: string[] = [];
  const written = new Set<string>();
  let failing: { readonly pattern: RegExp; times: number } | null = null;
  const server: Server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const path = new URL(request.url ?? '', 'http://store').pathname;
    if (failing && failing.times > 0 && failing.pattern.test(line)) {
      failing.times--;
      request.resume();
      request.on('end', () => {
        response.writeHead(503);
        response.end('<Error><Code>SlowDown</Code></Error>');
      });
      return;
    }
    if (request.method === 'DELETE') written.delete(path);
    if (request.method === 'PUT') {
      if (isConditional && request.headers['if-none-match'] === '*' && written.has(path)) {
        request.resume();
        request.on('end', () => {
          response.writeHead(412);
          response.end('<Error><Code>PreconditionFailed</Code></Error>');
        });
        return;
      }
      written.add(path);
    }
    handle(request, response);
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    variables: {
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    },
    failNext(pattern, times) {
      failing = { pattern, times };
    },
    async end() {
      server.closeAllConnections();
      await new Promise((settle) => server.close(settle));
    },
  };
}
