import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import type { ObjectStoreSettings } from '../ground/environment.ts';
import { InputError } from '../ground/errors.ts';
import { readBytes, withOpenFile } from '../ground/positioned-file.ts';
import { endpointOf, requestFault } from './endpoint.ts';
import { type ReadOptions, type Store, type StoredObject, StoreUnreachable } from './store.ts';

/** Pauses before each attempt after the first, milliseconds. */
const RETRY_MS = [200, 500, 1_000, 2_000, 4_000, 8_000];

/** An answer must have come whole by then; an object is moved in pieces, so that none takes long. */
const ANSWER_MS = 60_000;

/** Files are stored in pieces of so many bytes; S3 wants 5 MiB at least, and at most 10,000 of them. */
const PIECE_BYTES = 2 ** 26;

/** What an answer says that is no failure. */
const NOT_FOUND = 404;
const CHANGED = 412;

/** A prefix of a bucket of Amazon's S3, or of a store that speaks as it does. */
export class S3Store implements Store {
  readonly location: string;
  readonly #client: AwsClient;
  /** Of the bucket, without a slash at the end. */
  readonly #bucket: string;
  /** What keys begin with in the bucket: nothing, or a path with a slash at its end. */
  readonly #prefix: string;

  constructor(bucket: string, prefix: string, settings: ObjectStoreSettings) {
    const { endpoint: _, ...credentials } = settings;
    this.location = `s3://${[bucket, prefix].filter((part) => part !== '').join('/')}`;
    this.#client = new AwsClient({ ...credentials, service: 's3', retries: 0 });
    this.#bucket = `${endpointOf(settings)}/${bucket}`;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    // Names stand in XML as they are: how stores write them in URLs differs (a blank is + or %20).
    const query = { 'list-type': '2', prefix: `${this.#prefix}${prefix}` };
    for (let token: string | null = ''; token !== null; ) {
      const asked = new URLSearchParams({ ...query, ...(token !== '' && { 'continuation-token': token }) });
      const answer = await this.#ask('GET', `${this.#bucket}?${asked}`, prefix);
      const text = Buffer.from(answer.body).toString();
      for (const [, entry = ''] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        yield {
          key: tagOf(entry, 'Key').slice(this.#prefix.length),
          byteLength: Number(tagOf(entry, 'Size')),
          version: tagOf(entry, 'ETag'),
        };
      }
      token = tagOf(text, 'NextContinuationToken') || null;
    }
  }

  async facts(key: string): Promise<StoredObject | null> {
    const { status, headers } = await this.#ask('HEAD', this.#urlOf(key), key, { accepted: [NOT_FOUND] });
    if (status === NOT_FOUND) return null;
    return { key, byteLength: Number(headers.get('content-length')), version: headers.get('etag') ?? '' };
  }

  async read(key: string, { range, version }: ReadOptions = {}): Promise<Uint8Array | null> {
    if (range && range.end <= range.start) return new Uint8Array();
    const { status, body, headers } = await this.#ask('GET', this.#urlOf(key), key, {
      accepted: [NOT_FOUND, CHANGED],
      headers: {
        ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
        ...(version !== undefined && { 'if-match': version }),
      },
    });
    if (status === NOT_FOUND || status === CHANGED) return null;
    // Not every store heeds If-Match.
    if (version !== undefined && headers.get('etag') !== version) return null;
    const wanted = range && range.end - range.start;
    if (wanted === undefined || wanted === body.byteLength) return body;
    throw new InputError(
      `${this.location}/${key}`,
      `sent ${body.byteLength} bytes of ${wanted}`,
      'its store reads no ranges, or the object is shorter than it was: store it again',
    );
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    await this.#ask('PUT', this.#urlOf(key), key, { body: Buffer.from(content) });
  }

  async upload(key: string, path: string, sha256: string): Promise<void> {
    await withOpenFile(path, async ({ handle, byteLength }) => {
      const piece = async (number: number): Promise<Uint8Array> => {
        const start = number * PIECE_BYTES;
        return new Uint8Array(
          await readBytes(path, handle, start, Math.min(PIECE_BYTES, byteLength - start)),
        );
      };
      if (byteLength <= PIECE_BYTES) {
        const body = await piece(0);
        // What is signed is the hash that was taken when the file was made: the store refuses what has changed since.
        await this.#ask('PUT', this.#urlOf(key), key, {
          body,
          headers: { 'x-amz-content-sha256': sha256 },
        });
        return;
      }
      const begun = await this.#ask('POST', `${this.#urlOf(key)}?uploads=`, key, {
        body: new Uint8Array(),
      });
      const id = tagOf(Buffer.from(begun.body).toString(), 'UploadId');
      const parts: string[] = [];
      const hash = createHash('sha256');
      for (let number = 0; number * PIECE_BYTES < byteLength; number++) {
        const body = await piece(number);
        hash.update(body);
        const query = new URLSearchParams({ partNumber: String(number + 1), uploadId: id });
        const { headers } = await this.#ask('PUT', `${this.#urlOf(key)}?${query}`, key, { body });
        parts.push(
          `<Part><PartNumber>${number + 1}</PartNumber><ETag>${headers.get('etag') ?? ''}</ETag></Part>`,
        );
      }
      const whole = new URLSearchParams({ uploadId: id });
      if (hash.digest('hex') !== sha256) {
        // What is never completed is not there; stores clear it away by themselves.
        await this.#ask('DELETE', `${this.#urlOf(key)}?${whole}`, key).catch(() => {});
        throw new InputError(path, 'has changed while it was stored', 'start again');
      }
      const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      await this.#ask('POST', `${this.#urlOf(key)}?${whole}`, key, { body: Buffer.from(body) });
    });
  }

  async create(key: string, content: string): Promise<boolean> {
    const { status, attempts } = await this.#ask('PUT', this.#urlOf(key), key, {
      accepted: [CHANGED],
      headers: { 'if-none-match': '*' },
      body: Buffer.from(content),
    });
    if (status !== CHANGED) return true;
    // An attempt that seemed to fail may have been this one's own success.
    return attempts > 1 && Buffer.from((await this.read(key)) ?? []).toString() === content;
  }

  async remove(key: string): Promise<void> {
    await this.#ask('DELETE', this.#urlOf(key), key, { accepted: [NOT_FOUND] });
  }

  #urlOf(key: string): string {
    return `${this.#bucket}/${`${this.#prefix}${key}`.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** One request, again after a pause where the store or the network fails. @throws InputError when it goes on to */
  async #ask(
    method: string,
    url: string,
    key: string,
    {
      accepted = [],
      headers = {},
      body,
    }: {
      /** Statuses besides those of success that the caller knows what to do with. */
      readonly accepted?: readonly number[];
      readonly headers?: Record<string, string>;
      readonly body?: Uint8Array;
    } = {},
  ): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly body: Uint8Array;
    readonly attempts: number;
  }> {
    const where = `${this.location}/${key}`;
    let fault = '';
    for (const [attempt, wait] of [0, ...RETRY_MS].entries()) {
      // Whoever failed together does not come back together.
      await pause(wait * (0.5 + Math.random()));
      try {
        const answer = await this.#client.fetch(url, {
          method,
          headers,
          ...(body && { body: body as Uint8Array<ArrayBuffer> }),
          signal: AbortSignal.timeout(ANSWER_MS),
        });
        const { status } = answer;
        const content = new Uint8Array(await answer.arrayBuffer());
        if (answer.ok || accepted.includes(status)) {
          return { status, headers: answer.headers, body: content, attempts: attempt + 1 };
        }
        const text = Buffer.from(content).toString();
        fault = `${status} ${tagOf(text, 'Code')} ${tagOf(text, 'Message')}`.trim();
        if (status < 500 && ![408, 409, 425, 429].includes(status)) {
          throw new InputError(where, `the store refuses ${method} (${fault})`, remedyOf(status));
        }
      } catch (error) {
        if (error instanceof InputError) throw error;
        fault = requestFault(error);
      }
    }
    throw new StoreUnreachable(
      where,
      `the store does not answer (${fault})`,
      'look to the store and the network',
    );
  }
}

const remedyOf = (status: number): string =>
  status === NOT_FOUND
    ? 'make the bucket, or check its name'
    : 'check the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), the region and what they may do there';

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text of the first element of a name; empty where there is none. */
function tagOf(xml: string, name: string): string {
  const [, text = ''] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, word) =>
    word
      ? (ENTITIES[word] ?? whole)
      : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
  );
}
