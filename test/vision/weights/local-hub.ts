import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import type { HubSettings } from '../../../src/ground/environment.ts';

export const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';

/** One request a {@link LocalHub} saw. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** What an answer may be replaced by: return true when the request was answered. */
export type Mischief = (request: IncomingMessage, response: ServerResponse, seen: SeenRequest) => boolean;

export interface LocalHub {
  readonly endpoint: string;
  readonly seen: SeenRequest[];
  readonly files: Map<string, Buffer>;
  /** Asked before every answer. */
  mischief: Mischief | undefined;
  /** Where content is sent from; undefined: by the hub itself. */
  contentOrigin: string | undefined;
  /** Requests for content, not for size and checksum. */
  transfers(): SeenRequest[];
  settings(cacheFolder: string, overrides?: Partial<HubSettings>): HubSettings;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A server on 127.0.0.1 that answers as the hub does, for files given as `organisation/name/file`. */
export async function localHub(files: Readonly<Record<string, Buffer>> = {}): Promise<LocalHub> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const entry: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      range: request.headers.range,
      authorization: request.headers.authorization,
    };
    seen.push(entry);
    if (hub.mischief?.(request, response, entry) !== true) answer(hub, entry, response);
  });
  const endpoint = await listening(server);
  const hub: LocalHub = {
    endpoint,
    seen,
    files: new Map(Object.entries(files)),
    mischief: undefined,
    contentOrigin: undefined,
    transfers: () => seen.filter(({ path, range }) => path.includes('/resolve/') && range !== 'bytes=0-0'),
    settings: (cacheFolder, overrides = {}) => ({
      endpoint,
      cacheFolder,
      token: undefined,
      offline: false,
      stallMilliseconds: 2_000,
      retryMilliseconds: [1, 1, 1],
      ...overrides,
    }),
  };
  return hub;
}

/** Sends the part of `bytes` a Range header asks for, as content networks do. */
export function sendContent(
  response: ServerResponse,
  bytes: Buffer,
  range: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  if (asked === null) {
    response.writeHead(200, { 'content-length': bytes.length, ...headers }).end(bytes);
    return;
  }
  const start = Number(asked[1]);
  const end = asked[2] === '' ? bytes.length - 1 : Math.min(bytes.length - 1, Number(asked[2]));
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(start, end + 1);
  response
    .writeHead(206, {
      'content-length': part.length,
      'content-range': `bytes ${start}-${end}/${bytes.length}`,
      ...headers,
    })
    .end(part);
}

/** Headers the hub describes a file with. */
export function describing(bytes: Buffer): Record<string, string> {
  return {
    'x-repo-commit': COMMIT,
    'x-linked-etag': `"${sha256(bytes)}"`,
    'x-linked-size': String(bytes.length),
    etag: `"${sha256(bytes)}"`,
  };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(hub: LocalHub, { path, range }: SeenRequest, response: ServerResponse): void {
  const match = /^\/(?<repository>[^/]+\/[^/]+)\/resolve\/(?<revision>[^/]+)\/(?<file>[^?]+)/.exec(path);
  const { repository, revision, file } = match?.groups ?? {};
  const bytes = hub.files.get(`${repository}/${file}`);
  const isKnown = [...hub.files.keys()].some((key) => key.startsWith(`${repository}/`));
  const missing = (code: string): void => {
    response.writeHead(404, { 'x-error-code': code }).end('not found');
  };
  if (!isKnown) missing('RepoNotFound');
  else if (revision !== 'main' && revision !== COMMIT) missing('RevisionNotFound');
  else if (bytes === undefined) missing('EntryNotFound');
  else if (hub.contentOrigin !== undefined) {
    response
      .writeHead(302, {
        ...describing(bytes),
        location: `${hub.contentOrigin}/blob?of=${repository}/${file}`,
      })
      .end();
  } else sendContent(response, bytes, range, describing(bytes));
}

/** The least safetensors file there is: one of no tensors. */
export const NO_TENSORS = Buffer.from('\u0002\0\0\0\0\0\0\0{}', 'latin1');
