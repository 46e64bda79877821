import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Metadata, Server, type Upload } from '@tus/server';
import { PhotoRecord, Uuid } from '../../farm/index.ts';
import { TaskRefused } from '../../ground/children/limited-child.ts';
import { answerTo } from '../answers/error-answer.ts';
import { conflict, Refusal } from '../answers/refusal.ts';
import type { InferencePool } from '../inference/pool.ts';
import { visitOfPhoto } from '../records/joined-visits.ts';
import { requireNotRemoved } from '../records/removals.ts';
import type { Database } from '../storage/database.ts';
import { requireRoom } from '../storage/disk.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import { findPhoto, insertPhoto, type StoredPhoto } from './stored-photo.ts';
import { UploadNotes } from './upload-notes.ts';

/** Where uploads go. */
export const UPLOADS_PATH = '/api/uploads';

/** An upload that nothing was sent to for so long is given up. */
const EXPIRES_MS = 14 * 24 * 60 * 60_000;

/** What uploads need of the server. */
export interface UploadParts {
  readonly folder: string;
  readonly db: Database;
  readonly store: PhotoStore;
  readonly pool: InferencePool;
  readonly photoBytes: number;
  readonly reserveBytes: number;
  /** Told of every photo that was stored. */
  readonly onStored: () => void;
}

/**
 * Photos that come in parts, resumed where a connection broke (the tus protocol, https://tus.io). An upload is called
 * by its photo's id, so that a device that has lost everything else still finds it. Its last part is acknowledged when
 * the photo decodes, has the hash that was announced, and lies with its row on the disk.
 */
export class Uploads {
  readonly #parts: UploadParts;
  readonly #files: FileStore;
  readonly #tus: Server;
  readonly #finishing = new Map<string, Promise<StoredPhoto>>();

  constructor(parts: UploadParts) {
    this.#parts = parts;
    this.#files = new FileStore({
      directory: parts.folder,
      configstore: new UploadNotes(parts.folder),
      expirationPeriodInMilliseconds: EXPIRES_MS,
    });
    this.#tus = new Server({
      path: UPLOADS_PATH,
      datastore: this.#files,
      maxSize: parts.photoBytes,
      relativeLocation: true,
      allowedOrigins: [],
      namingFunction: (_, metadata) => recordOf(metadata).id,
      getFileIdFromRequest: (request) => idIn(request.url) ?? undefined,
      onUploadCreate: async (_, upload) => {
        await this.#requireWelcome(upload);
        return {};
      },
      onUploadFinish: async (_, upload) => {
        await this.#finished(upload.id);
        return {};
      },
      onResponseError: async (_, error) => {
        const { status, body } = answerTo(await this.#shown(error));
        return { status_code: status, body: JSON.stringify(body) };
      },
    });
  }

  /** Answers a request of the protocol. @throws Refusal, Busy, DiskFull */
  async answer(request: Request): Promise<Response> {
    const id = request.method === 'POST' ? announced(request).id : idIn(request.url);
    if (id === null) throw new Refusal(404, 'not-found', 'there is no such upload');
    const goesOn = request.method === 'HEAD' || request.method === 'PATCH';
    const stored = (await findPhoto(this.#parts.db, id)) ?? (goesOn ? await this.#finishIfWhole(id) : null);
    if (stored) return this.#repeated(request, stored);
    await requireNotRemoved(this.#parts.db, 'photo', id);
    const response = await this.#tus.handleWeb(request as Parameters<Server['handleWeb']>[0]);
    if (response.status >= 400) response.headers.set('Content-Type', 'application/json');
    if (response.status === 429) response.headers.set('Retry-After', '1');
    return response;
  }

  /** What an error of the protocol's library stands for. */
  async #shown(error: Error | { readonly status_code: number; readonly body: string }): Promise<unknown> {
    if (!('status_code' in error)) return error;
    if (error.status_code < 500) return new Refusal(error.status_code, 'upload', String(error.body).trim());
    // It does not say why a part could not be written.
    return requireRoom(this.#parts.folder, 0, this.#parts.reserveBytes).then(
      () => error,
      (full: unknown) => full,
    );
  }

  /** Finishes uploads that were whole when the server was stopped, and gives up those that nobody went on with. */
  async recover(): Promise<void> {
    await this.#tus.cleanUpExpiredUploads();
    for (const id of await new UploadNotes(this.#parts.folder).list()) {
      // Who sent one that cannot be kept is told when the device asks for it again.
      await this.#finishIfWhole(id).catch(() => {});
    }
  }

  /** What is answered of a photo that is stored: all of it is there, however often it is sent. */
  async #repeated(request: Request, { id, sha256, file }: StoredPhoto): Promise<Response> {
    if (request.method === 'POST' && announced(request).sha256 !== sha256) {
      throw conflict(`photo ${id} is stored with another SHA-256; give a new photo an id of its own`);
    }
    // Left unread, the rest of a body would break the connection before the answer is read.
    await request.body?.pipeTo(new WritableStream());
    const headers = {
      'Tus-Resumable': '1.0.0',
      'Cache-Control': 'no-store',
      'Upload-Offset': String(file.bytes),
      'Upload-Length': String(file.bytes),
      Location: `${UPLOADS_PATH}/${id}`,
    };
    const status = request.method === 'POST' ? 201 : request.method === 'HEAD' ? 200 : 204;
    return new Response(null, { status, headers });
  }

  async #requireWelcome({ size, metadata }: Upload): Promise<void> {
    const { db, folder, pool, photoBytes, reserveBytes } = this.#parts;
    const { visitId: named } = recordOf(metadata);
    if (size === undefined || size === 0)
      throw new Refusal(400, 'bad-request', 'say how long the photo is, in Upload-Length');
    if (size > photoBytes) throw tooLarge(photoBytes);
    await requireRoom(folder, 2 * size, reserveBytes);
    pool.requireRoom('upload');
    const visitId = await visitOfPhoto(db, named);
    if (visitId === null) return;
    const visit = await db.selectFrom('visits').select('id').where('id', '=', visitId).executeTakeFirst();
    if (!visit) throw conflict(`there is no visit ${visitId}; send the visit before its photos`);
  }

  /** @returns the photo; null where not all of it has arrived */
  async #finishIfWhole(id: string): Promise<StoredPhoto | null> {
    const upload = await this.#files.getUpload(id).catch(() => null);
    return upload && upload.size === upload.offset ? this.#finished(id) : null;
  }

  /** Stores an upload that is whole; of several who ask at once all get the one outcome. */
  #finished(id: string): Promise<StoredPhoto> {
    const running = this.#finishing.get(id);
    if (running) return running;
    const outcome = this.#finish(id).finally(() => this.#finishing.delete(id));
    this.#finishing.set(id, outcome);
    return outcome;
  }

  async #finish(id: string): Promise<StoredPhoto> {
    const { db, folder, store, pool, onStored } = this.#parts;
    const upload = await this.#files.getUpload(id);
    const record = recordOf(upload.metadata);
    const path = join(folder, id);
    try {
      const found = await pool.ask({ kind: 'inspect', path }, 'upload');
      if (found.sha256 !== record.sha256) {
        throw new Refusal(
          460,
          'checksum',
          'what arrived has another SHA-256 than was announced; send the photo again',
        );
      }
      await store.alone(async () => {
        await store.keep(path, record.sha256);
        await insertPhoto(db, { ...record, visitId: await visitOfPhoto(db, record.visitId) }, found);
      });
    } catch (error) {
      // What can never be kept is gone, so that the device does not take it for stored.
      if (error instanceof Refusal || error instanceof TaskRefused || isConstraint(error))
        await this.#files.remove(id);
      throw error;
    }
    await this.#files.remove(id).catch(() => {});
    onStored();
    const stored = await findPhoto(db, id);
    if (!stored) throw new Error(`photo ${id} was stored and is not there`);
    return stored;
  }
}

const isConstraint = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT');

/** A photo beyond what is taken. */
export const tooLarge = (bytes: number): Refusal =>
  new Refusal(413, 'too-large', `photos may have ${Math.round(bytes / 2 ** 20)} MiB; shrink it first`);

/** The id that a path of an upload ends in. */
function idIn(url: string): string | null {
  const last = new URL(url, 'http://server').pathname.split('/').at(-1) ?? '';
  return Uuid.safeParse(last).success ? last : null;
}

/** The photo's record, which the device announces as JSON under `record` of the upload's metadata. @throws Refusal */
function recordOf(metadata: Upload['metadata']): PhotoRecord {
  try {
    return PhotoRecord.parse(JSON.parse(metadata?.record ?? ''));
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is no JSON' : 'is no record of a photo';
    throw new Refusal(400, 'bad-request', `Upload-Metadata: record ${what}; give the photo’s record as JSON`);
  }
}

function announced(request: Request): PhotoRecord {
  try {
    return recordOf(Metadata.parse(request.headers.get('upload-metadata') ?? ''));
  } catch (error) {
    throw error instanceof Refusal
      ? error
      : new Refusal(400, 'bad-request', 'Upload-Metadata cannot be read');
  }
}
