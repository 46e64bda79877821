import { hostname } from 'node:os';
import { z } from 'zod';
import { InputError, SwardError } from '../../ground/errors.ts';
import { openStore, type Store } from '../../storage/index.ts';
import { type JobList, jobListSchema, type UnitSpec, unitSpecSchema } from './spec.ts';

const resultSchema = z.strictObject({
  key: z.string(),
  name: z.string(),
  /** The attempt that did it, counted from 1. */
  attempt: z.int().min(1),
  host: z.string(),
  seconds: z.number(),
  /** What it made, by content. */
  files: z
    .array(z.strictObject({ name: z.string(), sha256: z.string(), byteLength: z.int().min(0) }))
    .readonly(),
});
/** What became of a unit that is done. */
export type UnitResult = z.output<typeof resultSchema>;

const failureSchema = z.strictObject({ name: z.string(), host: z.string(), message: z.string() });
/** Why a unit was given up. */
export type UnitFailure = z.output<typeof failureSchema>;

/** Objects that are removed together. */
const REMOVED_AT_ONCE = 16;

/** The job was gathered and taken away by another command. */
export class GatheredElsewhere extends SwardError {
  override name = 'GatheredElsewhere';

  constructor({ location }: JobStore) {
    super(
      `${location}: another command of the same work has gathered it and taken it away; its result lies where that one writes`,
    );
  }
}

/** An attempt that is late: another has been started since, or has finished, or nobody wants the result any more. */
export class Overtaken extends SwardError {
  override name = 'Overtaken';
}

/**
 * A job in a store: the specs of its units, the attempts at them, and what came of them. Results are files by their
 * SHA-256, which no two attempts can disagree on, and one record a unit, which is published once:
 *
 * - `list.json`, `specs/KEY.json`
 * - `attempts/KEY/00001.json`: a fencing token each, given out in order; only the latest may publish
 * - `objects/SHA256`, `done/KEY.json`
 * - `failed/KEY.json`
 */
export class JobStore {
  readonly store: Store;
  readonly job: string;

  constructor(store: Store, job: string) {
    this.store = store;
    this.job = job;
  }

  static of({ store, job }: Pick<UnitSpec, 'store' | 'job'>): JobStore {
    return new JobStore(openStore(store), job);
  }

  /** Its place, for people. */
  get location(): string {
    return `${this.store.location}/${this.job}`;
  }

  specKey(key: string): string {
    return `${this.job}/specs/${key}.json`;
  }

  async putSpec(spec: UnitSpec): Promise<void> {
    await this.store.put(this.specKey(spec.key), JSON.stringify(spec));
  }

  /** Null where the job is gone. @throws InputError when it is not one of this version */
  spec(key: string): Promise<UnitSpec | null> {
    return this.#record(`specs/${key}.json`, unitSpecSchema);
  }

  /** Any unit of it as it was laid out; null where none is. @throws InputError as {@link spec} */
  async firstSpec(): Promise<UnitSpec | null> {
    const prefix = this.specKey('').slice(0, -'.json'.length);
    for await (const { key } of this.store.list(prefix))
      return this.spec(key.slice(prefix.length, -'.json'.length));
    return null;
  }

  /** Whether it is laid out, and nobody has taken it away. */
  async isThere(): Promise<boolean> {
    return (await this.store.facts(`${this.job}/list.json`)) !== null;
  }

  async putList(list: JobList): Promise<void> {
    await this.store.put(`${this.job}/list.json`, JSON.stringify(list));
  }

  /**
   * Takes the next attempt at a unit.
   *
   * @returns its fencing token, from 1
   */
  async claim(key: string): Promise<number> {
    const content = JSON.stringify({ host: hostname(), pid: process.pid, at: new Date().toISOString() });
    for (let token = (await this.#lastAttempt(key)) + 1; ; token++) {
      if (await this.store.create(this.#attemptKey(key, token), content)) return token;
    }
  }

  #attemptKey(key: string, token: number): string {
    return `${this.job}/attempts/${key}/${String(token).padStart(5, '0')}.json`;
  }

  async #lastAttempt(key: string): Promise<number> {
    let last = 0;
    for await (const { key: attempt } of this.store.list(`${this.job}/attempts/${key}/`)) {
      last = Number(attempt.slice(-'00001.json'.length, -'.json'.length));
    }
    return last;
  }

  /** Puts a file among the results, by its content. */
  async putObject(path: string, sha256: string): Promise<void> {
    const key = `${this.job}/objects/${sha256}`;
    if (!(await this.store.facts(key))) await this.store.upload(key, path, sha256);
  }

  objectKey(sha256: string): string {
    return `${this.job}/objects/${sha256}`;
  }

  /**
   * Publishes the result of an attempt, once.
   *
   * @throws Overtaken where a later attempt has been started, or a result is there, or the job is gone
   */
  async publish(result: UnitResult): Promise<void> {
    const { key, name, attempt } = result;
    const last = await this.#lastAttempt(key);
    if (last < attempt) throw new Overtaken(`${name}: its job is not there any more`);
    const late = `${name}: attempt ${attempt} comes too late`;
    if (last > attempt) throw new Overtaken(`${late}, attempt ${last} has been started since`);
    if (await this.store.create(`${this.job}/done/${key}.json`, JSON.stringify(result))) return;
    throw new Overtaken(`${late}, it was done already`);
  }

  /** The result of a unit; null where it is not done. @throws InputError for a damaged record */
  result(key: string): Promise<UnitResult | null> {
    return this.#record(`done/${key}.json`, resultSchema);
  }

  async putFailure(key: string, failure: UnitFailure): Promise<void> {
    await this.store.put(`${this.job}/failed/${key}.json`, JSON.stringify(failure));
  }

  failure(key: string): Promise<UnitFailure | null> {
    return this.#record(`failed/${key}.json`, failureSchema);
  }

  async forgetFailure(key: string): Promise<void> {
    await this.store.remove(`${this.job}/failed/${key}.json`);
  }

  /** Keys of the units that are done, or that failed. */
  async keys(of: 'done' | 'failed'): Promise<Set<string>> {
    const keys = new Set<string>();
    const prefix = `${this.job}/${of}/`;
    for await (const { key } of this.store.list(prefix)) keys.add(key.slice(prefix.length, -'.json'.length));
    return keys;
  }

  /** Removes everything of the job: specs first, so that nobody begins any more, then attempts, so that nobody publishes. */
  async remove(): Promise<void> {
    for (const part of ['list.json', 'specs/', 'attempts/', '']) {
      const keys = this.store.list(`${this.job}/${part}`);
      const turns = async (): Promise<void> => {
        for (let next = await keys.next(); !next.done; next = await keys.next()) {
          await this.store.remove(next.value.key);
        }
      };
      await Promise.all(Array.from({ length: REMOVED_AT_ONCE }, turns));
    }
  }

  async #record<T>(name: string, schema: z.ZodType<T>): Promise<T | null> {
    const bytes = await this.store.read(`${this.job}/${name}`);
    if (!bytes) return null;
    return parsedRecord(`${this.location}/${name}`, bytes, schema);
  }
}

/** @throws InputError when it is not what the schema says */
function parsedRecord<T>(where: string, bytes: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = `is not what this version of sward writes there (${issue?.path.join('.')}: ${issue?.message})`;
  throw new InputError(where, what, 'plan the work again, with one version of sward on all machines');
}

/** A spec, or the list of a job, from where it was planned. @throws InputError when it is neither */
export function readPlanned(where: string, bytes: Uint8Array): UnitSpec | JobList {
  return parsedRecord<UnitSpec | JobList>(where, bytes, z.union([unitSpecSchema, jobListSchema]));
}
