import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Metadata, Server, type Upload } from '@tus/server';
import { PhotoRecord, Uuid } from '../../farm/index.ts';
import { TaskRefused } from '../../ground/children/limited-child.ts';
import { answerTo } from '../answers/error-answer.ts';
import { conflict, Refusal } from '../answers/refusal.ts';
import { Busy, type InferencePool } from '../inference/pool.ts';
import { visitOfPhoto } from '../records/joined-visits.ts';
import { requireNotRemoved } from '../records/removals.ts';
import type { Database } from '../storage/database.ts';
import { copyApart, requireRoom } from '../storage/disk.ts';
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
  /** For the copy of what has arrived, which no request writes into. */
  readonly scratch: string;
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
    const isArrived = (id: string): Promise<boolean> => this.#isArrived(id);
    const Files = class extends FileStore {
      /** Called under the upload's lock. What has arrived is not begun anew, which would empty it. */
      override async create(upload: Upload): Promise<Upload> {
        if (await isArrived(upload.id)) throw new Busy(1);
        return super.create(upload);
      }
    };
    this.#files = new Files({
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
        const shown = await this.#shown(error);
        const { status, body, isOurs } = answerTo(shown);
        // Answered, and logged, as failures of any request are.
        if (isOurs) throw shown;
        return { status_code: status, body: JSON.stringify(body) };
      },
    });
  }

  /** Answers a request of the protocol. @throws Refusal, Busy, DiskFull */
  async answer(request: Request): Promise<Response> {
    const id = request.method === 'POST' ? announced(request).id : idIn(request.url);
    if (id === null) throw new Refusal(404, 'not-found', 'there is no such upload');
    // What had arrived and cannot be kept is begun anew.
    const isBegun = request.method === 'POST';
    const before = await this.#arrived(id).catch((error: unknown) => {
      if (isBegun && isFinal(error)) return null;
      throw error;
    });
    if (before) return this.#repeated(request, before);
    await requireNotRemoved(this.#parts.db, 'photo', id);
    const response = await this.#tus.handleWeb(request as Parameters<Server['handleWeb']>[0]);
    // Another request may have brought it meanwhile, or this one the whole of it.
    const since = response.status >= 400 ? await this.#arrived(id).catch(() => null) : null;
    if (since) return this.#repeated(request, since);
    if (response.status >= 400) response.headers.set('Content-Type', 'application/json');
    if (response.status === 429) response.headers.set('Retry-After', '1');
    return response;
  }

  /** What an error of the protocol's library stands for. */
  async #shown(error: Error | { readonly status_code: number; readonly body: string }): Promise<unknown> {
    if (!('status_code' in error)) return error;
    const said = String(error.body).trim();
    if (error.status_code === 413) return tooLarge(this.#parts.photoBytes);
    if (error.status_code < 500) return new Refusal(error.status_code, 'upload', said);
    if (error.status_code === 501) return new Refusal(400, 'upload', said);
    // It does not say why a part could not be written.
    return requireRoom(this.#parts.folder, 0, this.#parts.reserveBytes).then(
      () => new Error(`upload: ${said}`),
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
    if (!request.bodyUsed) await request.body?.pipeTo(new WritableStream());
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
    if (size === undefined) {
      throw new Refusal(400, 'bad-request', 'say how long the photo is, in Upload-Length');
    }
    if (size === 0) throw new Refusal(400, 'empty', 'the photo is empty (0 bytes); take it again');
    if (size > photoBytes) throw tooLarge(photoBytes);
    await requireRoom(folder, 2 * size, reserveBytes);
    pool.requireRoom('upload');
    const visitId = await visitOfPhoto(db, named);
    if (visitId === null) return;
    const visit = await db.selectFrom('visits').select('id').where('id', '=', visitId).executeTakeFirst();
    if (!visit) throw conflict('its visit is not on the server; send that first');
  }

  /** The photo of an upload that is stored, or whole and to be stored. */
  async #arrived(id: string): Promise<StoredPhoto | null> {
    return (await findPhoto(this.#parts.db, id)) ?? this.#finishIfWhole(id);
  }

  async #isArrived(id: string): Promise<boolean> {
    if (this.#finishing.has(id)) return true;
    const upload = await this.#files.getUpload(id).catch(() => null);
    const isWhole = upload !== null && upload.size === upload.offset;
    return isWhole || (await findPhoto(this.#parts.db, id)) !== null;
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
    const { db, folder, scratch, store, pool, onStored } = this.#parts;
    const upload = await this.#files.getUpload(id);
    const record = recordOf(upload.metadata);
    // Looked at and kept is a copy: a request that is late, or begins it anew, can change what arrived and not this.
    const path = join(scratch, id);
    try {
      await copyApart(join(folder, id), path);
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
      if (isFinal(error)) await this.#files.remove(id);
      throw error;
    } finally {
      await rm(path, { force: true });
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

/** Whether an upload that failed so can never be kept. */
const isFinal = (error: unknown): boolean =>
  error instanceof Refusal || error instanceof TaskRefused || isConstraint(error);

/** A photo beyond what is taken. */
export const tooLarge = (bytes: number): Refusal =>
  new Refusal(413, 'too-large', `photos may have ${Math.round(bytes / 2 ** 20)} MiB; shrink it first`);

/** The id that a path of an upload ends in. */
function idIn(url: string): string | null {
  const last = new URL(url, 'http://server').pathname.split('/').at(-1) ?? '';
  return Uuid.safeParse(last).data ?? null;
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
