import { effect, type Signal, signal } from '@preact/signals';
import { z } from 'zod';
import { Paddock, PhotoRecord, Visit } from '../../../src/farm/index.ts';
import { countOf, forCount } from '../../../src/ground/counts.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { type ItemKind, type KeptPhoto, keyOf, type OutboxItem } from '../store/records.ts';
import {
  ask,
  askFor,
  type Device,
  Edited,
  everything,
  findPhoto,
  isRemoval,
  pair,
  type ServerPhoto,
  ServerRefusal,
  sendJson,
  Unreachable,
  whoAmI,
} from './farm-server.ts';
import { mendTimes, tellOfClock } from './mend-times.ts';
import { sendPhoto } from './upload.ts';

/** How things stand between this device and the farm's server. */
export type SyncState =
  | { readonly kind: 'unpaired' }
  | { readonly kind: 'offline'; readonly why: string }
  | { readonly kind: 'working' }
  /** `at`: when it last took in what other devices have sent; empty: not yet. */
  | { readonly kind: 'idle'; readonly at: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Records go before what names them. */
const ORDER: readonly ItemKind[] = ['paddock', 'visit', 'photo', 'cut'];

const ENDED = 'ended';
const UNKNOWN = 'unknown';

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;
/** What others have done is asked for so often while the app is looked at. */
const LOOK_AGAIN_MS = 60_000;
/** And so often it is seen whether that is due. */
const SEE_WHETHER_DUE_MS = 1_000;
/** After records were sent it is asked for no more often than so: lists grow with a farm. */
const LOOK_AFTER_SENDING_MS = 15_000;
/**
 * Sooner while the server estimates a photo, or makes the farm's run ready for phones: at first after so long, then
 * after twice as long each time, up to the above, and never before this many times what a look takes.
 */
const LOOK_FOR_WORK_MS = 2_000;
const PAUSE_OF_LOOK = 20;
const SETTLE_MS = 150;

/** Sends what waits, in order, as often as it takes; and takes in what other devices have sent. */
export class Sync {
  readonly state: Signal<SyncState> = signal({ kind: 'unpaired' });
  readonly device: Signal<Device | null> = signal(null);
  /** How much of an item has gone, 0 to 1, while it is being sent. */
  readonly sending: Signal<ReadonlyMap<string, number>> = signal(new Map());
  /** What this device had and was wiped, once it is back. */
  readonly restored: Signal<string | null> = signal(null);
  /** When this device learned that its access was ended; null: it was not, or that has been read. */
  readonly ended: Signal<string | null> = signal(null);
  /** What this device was paired as, where the server does not know it any more, as after its cookies were cleared. */
  readonly unknown: Signal<string | null> = signal(null);
  readonly #store: FarmStore;
  #running: Promise<void> | null = null;
  #isAskedAgain = false;
  #isLookAsked = false;
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookTimer: ReturnType<typeof setTimeout> | undefined;
  #pulledAt = 0;
  #workWait = LOOK_FOR_WORK_MS;
  #lookTook = 0;
  /** Photos that were sent from this page and of which the server has said nothing yet. */
  readonly #awaited = new Set<string>();
  #ending = new AbortController();

  constructor(store: FarmStore) {
    this.#store = store;
    this.device.value = (store.value('device') as Device | undefined) ?? null;
    if (this.device.value) this.state.value = { kind: 'idle', at: '' };
    this.ended.value = (store.value(ENDED) as string | undefined) ?? null;
    this.unknown.value = (store.value(UNKNOWN) as string | undefined) ?? null;
    addEventListener('online', () => {
      this.#wait = FIRST_WAIT_MS;
      this.soon(0);
    });
    addEventListener('offline', () => this.#ending.abort());
    document.addEventListener('visibilitychange', () => this.#lookIfDue());
    setInterval(() => {
      // What failed has a time of its own to be tried again at.
      if (this.state.value.kind === 'idle') this.#lookIfDue();
    }, SEE_WHETHER_DUE_MS);
    effect(() => {
      const waits = [...store.outbox.value.values()].some(({ refused }) => refused === null);
      if (waits && this.device.value) this.soon(SETTLE_MS);
    });
  }

  /** Finds out whether the server knows this device, as after its storage was wiped. */
  async begin(): Promise<void> {
    const known = this.device.value;
    try {
      const device = await whoAmI();
      // One that was paired meanwhile is not what was asked about.
      if (device && this.device.value === known) await this.#become(device);
      else if (!device && known) await this.#forgotten(known);
    } catch (error) {
      if (known && error instanceof ServerRefusal && error.isRevoked) await this.#end(known);
      // Without a network what was known goes on.
    }
    if (!this.device.value) return;
    const isWiped = this.#store.keeping.isNew && this.#store.keeping.fleeting === null;
    await this.now();
    if (isWiped && this.state.value.kind === 'idle') {
      const count = this.#store.photos.value.size;
      const lost = unsentBefore();
      this.restored.value =
        `This device's copy was gone and was fetched back from the server: ${countOf(count, 'photo')}, ` +
        `${countOf(this.#store.paddocks.value.size, 'paddock')}, ${countOf(this.#store.cuts.value.size, 'cut')}.` +
        (lost > 0
          ? ` ${countOf(lost, 'thing')} had not been sent and ${forCount(lost, 'is', 'are')} lost.`
          : '');
    }
  }

  /** @throws ServerRefusal for a code that does not work */
  async pair(code: string): Promise<void> {
    await this.#become(await pair(code));
    await this.endingIsRead();
    // What was refused may have been so for what the device was paired as.
    await this.allAgain();
    await this.now();
  }

  /** Sends and takes in as soon as it may. */
  soon(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#begun(), milliseconds);
  }

  /** Sends and takes in now. */
  async now(): Promise<void> {
    this.#isLookAsked = true;
    // What runs may have asked the server before what is wanted was there.
    await this.#running;
    await this.#begun();
  }

  #lookIfDue(): void {
    const wait = this.#isServerAtWork() ? this.#pauseForWork() : LOOK_AGAIN_MS;
    const isDue = Date.now() - this.#pulledAt >= wait;
    if (isDue && document.visibilityState === 'visible') this.soon(0);
  }

  #pauseForWork(): number {
    return Math.min(LOOK_AFTER_SENDING_MS, Math.max(this.#workWait, PAUSE_OF_LOOK * this.#lookTook));
  }

  #isServerAtWork(): boolean {
    const { answering, photos, estimates } = this.#store;
    if (this.#awaited.size > 0 || answering.value?.phone.kind === 'making') return true;
    return [...photos.value.values()].some(
      ({ id, storedAt, problem }) => storedAt !== null && problem === null && !estimates.value.has(id),
    );
  }

  #begun(): Promise<void> {
    if (this.#running) {
      this.#isAskedAgain = true;
      return this.#running;
    }
    this.#running = this.#round().finally(() => {
      this.#running = null;
      if (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        this.soon(SETTLE_MS);
      }
    });
    return this.#running;
  }

  /** Lets a refused item try again. */
  async again(item: OutboxItem): Promise<void> {
    await this.#store.refused(item, null);
    this.soon(0);
  }

  /** Lets everything that was refused try again. */
  async allAgain(): Promise<void> {
    for (const item of this.#store.outbox.value.values()) {
      if (item.refused !== null) await this.#store.refused(item, null);
    }
    this.soon(0);
  }

  async #become(device: Device): Promise<void> {
    this.device.value = device;
    await this.#store.setValue('device', device);
    this.unknown.value = null;
    await this.#store.dropValue(UNKNOWN);
    if (this.state.value.kind === 'unpaired') this.state.value = { kind: 'idle', at: '' };
  }

  /** The server does not know a device, which is told so on every screen until it is paired again. */
  async #forgotten(device: Device): Promise<void> {
    if (this.device.value !== device) return;
    this.#unpaired();
    this.unknown.value = device.name;
    await this.#store.setValue(UNKNOWN, device.name);
  }

  #unpaired(): void {
    this.device.value = null;
    this.state.value = { kind: 'unpaired' };
    void this.#store.dropValue('device');
    void this.#store.setAnswering(null);
  }

  /** An owner has ended the access of this device: it keeps nothing of the farm but what it could not send. */
  async #end(device: Device): Promise<void> {
    if (this.device.value !== device) return;
    this.#unpaired();
    this.ended.value = new Date().toISOString();
    await this.#store.leaveFarm();
    await this.#store.setValue(ENDED, this.ended.value);
  }

  /** That the access was ended has been read. */
  async endingIsRead(): Promise<void> {
    this.ended.value = null;
    await this.#store.dropValue(ENDED);
  }

  async #round(): Promise<void> {
    const device = this.device.value;
    if (!device) return;
    this.state.value = { kind: 'working' };
    this.#ending = new AbortController();
    try {
      try {
        await mendTimes(this.#store);
        await this.#sendAll();
      } finally {
        // A photo that the server has no room for keeps nobody from seeing what others have done.
        await this.#look();
      }
      this.#wait = FIRST_WAIT_MS;
      this.state.value = { kind: 'idle', at: new Date(this.#pulledAt).toISOString() };
    } catch (error) {
      if (error instanceof ServerRefusal && error.status === 401) {
        if (error.isRevoked) await this.#end(device);
        else await this.#forgotten(device);
        return;
      }
      const why = messageOf(error);
      this.state.value = error instanceof Unreachable ? { kind: 'offline', why } : { kind: 'failed', why };
      this.soon(this.#wait);
      this.#wait = Math.min(LONGEST_WAIT_MS, 2 * this.#wait);
    } finally {
      this.sending.value = new Map();
    }
  }

  async #sendAll(): Promise<void> {
    const refusedHere = new Set<string>();
    for (;;) {
      const item = this.#next(refusedHere);
      if (!item) return;
      try {
        await this.#send(item);
        // It was long only where nothing got through.
        this.#wait = FIRST_WAIT_MS;
      } catch (error) {
        if (!(error instanceof ServerRefusal) || error.passes || error.status === 401) throw error;
        refusedHere.add(item.key);
        if (isRemoval(error)) await this.#store.removedElsewhere(item);
        else await this.#store.refused(item, error.message);
      }
    }
  }

  #next(besides: ReadonlySet<string>): OutboxItem | null {
    const waiting = [...this.#store.outbox.value.values()]
      .filter(({ key, refused }) => refused === null && !besides.has(key))
      .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.since < b.since ? -1 : 1));
    return waiting[0] ?? null;
  }

  async #send(item: OutboxItem): Promise<void> {
    const { kind, id } = item;
    if (kind === 'photo') return this.#sendPhoto(item);
    const record = { paddock: this.#store.paddocks, visit: this.#store.visits, cut: this.#store.cuts }[
      kind
    ].value.get(id);
    if (!record || (kind !== 'cut' && (await this.#sendEdits(item, record)))) return;
    await ask(`/api/${kind}s/${id}`, sendJson('PUT', record));
    await this.#store.arrived(item, { sent: record });
  }

  /** Sends the fields that were changed. @returns whether the server has what they are of */
  async #sendEdits(item: OutboxItem, sent: object): Promise<boolean> {
    const { kind, id, edits } = item;
    if (!edits || kind === 'cut') return false;
    try {
      const path = `/api/${kind}s/${id}`;
      const { record, contested } = await askFor(Edited, path, sendJson('PATCH', edits));
      const read = READ[kind].parse(record);
      // A visit that is part of another now is taken in with the next look.
      const isOwn = read.id === id;
      await this.#store.arrived(item, { sent, contested, ...(isOwn && { record: read }) });
      return true;
    } catch (error) {
      // A server that was set up anew has none of it.
      if (error instanceof ServerRefusal && error.status === 404) return false;
      throw error;
    }
  }

  async #sendPhoto(item: OutboxItem): Promise<void> {
    const photo = this.#store.photos.value.get(item.id);
    if (!photo) return this.#store.arrived(item);
    const record = PhotoRecord.parse(photo.record);
    if (await this.#sendEdits(item, record)) return;
    const file = await this.#store.keeping.file(item.id);
    // One that the server has, or whose file was forgotten since it had it.
    if (photo.storedAt !== null && !(item.edits && file)) {
      await ask(`/api/photos/${item.id}`, sendJson('PUT', record));
      return this.#store.arrived(item, { sent: record });
    }
    if (!file) throw new ServerRefusal(400, 'its file is not on this device any more');
    const show = (fraction: number): void => {
      this.sending.value = new Map([[item.key, fraction]]);
    };
    show(0);
    await sendPhoto(record, file, show, this.#ending.signal);
    // Only the hash that the server names says that the photo is there.
    const stored = await findPhoto(item.id);
    if (stored?.sha256 !== record.sha256) {
      throw new ServerRefusal(502, 'the server has not acknowledged the photo’s hash');
    }
    this.sending.value = new Map();
    this.#awaited.add(item.id);
    this.#workWait = LOOK_FOR_WORK_MS;
    await this.#store.arrived(item, { sent: record, storedAt: stored.storedAt });
  }

  /** Takes in what others have done; later, where that was only just done and nobody asks for it. */
  async #look(): Promise<void> {
    clearTimeout(this.#lookTimer);
    const pause = this.#isServerAtWork() ? this.#pauseForWork() : LOOK_AFTER_SENDING_MS;
    const wait = this.#pulledAt + pause - Date.now();
    if (!this.#isLookAsked && wait > 0) {
      this.#lookTimer = setTimeout(() => this.soon(0), wait);
      return;
    }
    this.#isLookAsked = false;
    try {
      await this.#takeIn();
    } catch (error) {
      this.#isLookAsked = true;
      throw error;
    }
  }

  async #takeIn(): Promise<void> {
    const begun = Date.now();
    const { photos, outcomes, ...records } = await everything();
    for (const { photoId } of outcomes) this.#awaited.delete(photoId);
    for (const { id } of records.removals) this.#awaited.delete(id);
    await this.#store.takeIn({
      ...records,
      photos: photos.map(keptOf),
      estimates: outcomes.flatMap(({ estimate }) => (estimate ? [estimate] : [])),
      problems: new Map(
        outcomes.flatMap(({ photoId, problem }) => (problem === null ? [] : [[photoId, problem] as const])),
      ),
    });
    await tellOfClock(this.#store);
    this.#pulledAt = Date.now();
    this.#lookTook = this.#pulledAt - begun;
    const isStillAtWork = this.#isServerAtWork();
    this.#workWait = isStillAtWork ? Math.min(2 * this.#workWait, LOOK_AFTER_SENDING_MS) : LOOK_FOR_WORK_MS;
  }
}

function keptOf({ storedAt, file, ...record }: ServerPhoto): KeptPhoto {
  const { cameraPosition } = file;
  return {
    id: record.id,
    record,
    fileName: `${record.id.slice(0, 8)}.jpg`,
    mediaType: file.mediaType,
    bytes: file.bytes,
    origin: 'server',
    advice: [],
    filePosition: cameraPosition && { ...cameraPosition, accuracyMetres: null },
    storedAt,
    problem: null,
  };
}

const READ = {
  paddock: z.object(Paddock.shape),
  visit: z.object(Visit.shape),
  photo: z.object(PhotoRecord.shape),
} as const;

const COUNT = 'sward-unsent';

/** Notes how much waits, in another storage than that which it waits in: if that is wiped, what is lost can be said. */
export function followUnsent(store: FarmStore): void {
  effect(() => {
    const { size } = store.outbox.value;
    try {
      localStorage.setItem(COUNT, String(size));
    } catch {
      // Without that storage a loss is said without a number.
    }
  });
}

function unsentBefore(): number {
  try {
    return Number(localStorage.getItem(COUNT) ?? 0);
  } catch {
    return 0;
  }
}

/** How an item of the outbox stands, in words. */
export function wordsOf(
  item: OutboxItem | undefined,
  sending: ReadonlyMap<string, number>,
  isPaired: boolean,
): string {
  if (!item) return 'on the server';
  const fraction = sending.get(item.key);
  if (fraction !== undefined) return `sending, ${Math.round(100 * fraction)} %`;
  if (item.refused !== null) return `refused: ${item.refused}`;
  return isPaired ? 'kept here, waits to be sent' : 'kept here';
}

/** The item that a photo waits as. */
export const photoItem = (store: FarmStore, id: string): OutboxItem | undefined =>
  store.outbox.value.get(keyOf('photo', id));
