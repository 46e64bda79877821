import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pino from 'pino';
import type { PhotoRecord } from '../../src/farm/index.ts';
import type { Role } from '../../src/server/access/roles.ts';
import {
  DEFAULT_SETTINGS,
  poolOf,
  type RunningServer,
  type ServerSettings,
  startServer,
} from '../../src/server/index.ts';

/** A farm's server of a test, with devices of every role. */
export interface TestServer {
  readonly server: RunningServer;
  readonly tokens: Readonly<Record<Role, string>>;
  /** Everything that it logged. */
  readonly log: string[];
  /** Asks as a device. @param path from `/` on */
  ask(path: string, options?: AskOptions): Promise<Response>;
  /** The JSON that is answered. */
  json(path: string, options?: AskOptions): Promise<ReturnType<typeof JSON.parse>>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly method?: string;
  readonly as?: Role | null;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly raw?: BodyInit;
  readonly signal?: AbortSignal;
}

/** Starts a server on a folder. */
export async function startTestServer(
  data: string,
  changes: Partial<ServerSettings> = {},
): Promise<TestServer> {
  const log: string[] = [];
  const server = await startServer(
    { ...DEFAULT_SETTINGS, data, port: 0, pool: poolOf(1), ...changes },
    pino({ base: null }, { write: (line) => log.push(line) }),
  );
  const { devices } = server.farm;
  const pair = async (role: Role): Promise<string> => {
    const paired = await devices.pair((await devices.offer(role, role)).code, role);
    return paired?.token ?? '';
  };
  const tokens = {
    owner: await pair('owner'),
    recorder: await pair('recorder'),
    viewer: await pair('viewer'),
  };
  const ask: TestServer['ask'] = (
    path,
    { method, as = 'owner', token, body, headers = {}, raw, signal } = {},
  ) => {
    const bearer = token ?? (as === null ? undefined : tokens[as]);
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    return fetch(server.address + path, {
      method: method ?? (content === undefined ? 'GET' : 'POST'),
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content !== undefined && { body: content }),
      ...(content instanceof ReadableStream && { duplex: 'half' }),
      ...(signal && { signal }),
    });
  };
  return {
    server,
    tokens,
    log,
    ask,
    json: async (path, options) => (await ask(path, options)).json(),
    close: () => server.close(),
  };
}

/** A form with a photo. */
export function photoForm(
  file: Uint8Array | string,
  fields: Record<string, string> = {},
  name = 'photo.jpg',
): FormData {
  const form = new FormData();
  form.append(
    'photo',
    new Blob([typeof file === 'string' ? readFileSync(file) : new Uint8Array(file)]),
    name,
  );
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  return form;
}

/** The record of a photo of a file. */
export function recordOf(file: Uint8Array, changes: Partial<PhotoRecord> = {}): PhotoRecord {
  return {
    id: randomUUID(),
    visitId: null,
    sha256: createHash('sha256').update(file).digest('hex'),
    capturedAt: '2026-11-03T09:12:00+11:00',
    position: null,
    frameAreaSquareMetres: 0.25,
    height: null,
    ...changes,
  };
}

export const TUS = { 'tus-resumable': '1.0.0' };

/** Begins an upload. */
export function beginUpload(
  server: TestServer,
  record: unknown,
  bytes: number,
  as: Role = 'recorder',
): Promise<Response> {
  const metadata = `record ${Buffer.from(JSON.stringify(record)).toString('base64')}`;
  return server.ask('/api/uploads', {
    method: 'POST',
    as,
    headers: { ...TUS, 'upload-length': String(bytes), 'upload-metadata': metadata },
  });
}

/** Sends a part of an upload. */
export function sendPart(
  server: TestServer,
  id: string,
  offset: number,
  part: Uint8Array,
): Promise<Response> {
  return server.ask(`/api/uploads/${id}`, {
    method: 'PATCH',
    as: 'recorder',
    headers: { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    raw: part as BodyInit,
  });
}

/** Uploads a photo in one part. @returns the answer to the part */
export async function upload(server: TestServer, record: PhotoRecord, file: Uint8Array): Promise<Response> {
  const begun = await beginUpload(server, record, file.length);
  return begun.status === 201 ? sendPart(server, record.id, 0, file) : begun;
}
