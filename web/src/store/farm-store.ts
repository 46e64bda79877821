import { type Signal, signal } from '@preact/signals';
import {
  Answering,
  type Calibration,
  type Contested,
  type Cut,
  type Estimate,
  editsBetween,
  followedBy,
  isAskedAlike,
  mergedEvents,
  type Paddock,
  type PhotoRecord,
  type Visit,
  withEdits,
} from '../../../src/farm/index.ts';
import type { Keeping } from './keeping.ts';
import { type Called, contestedNotice, type Notice, removedNotice, unplacedNotice } from './notices.ts';
import { type Changes, type ItemKind, type Kept, type KeptPhoto, keyOf, type OutboxItem } from './records.ts';
import { Settings } from './settings.ts';

type ById<Item> = ReadonlyMap<string, Item>;

/** A record of a kind that is sent. */
type Sent = {
  readonly paddock: Paddock;
  readonly visit: Visit;
  readonly photo: KeptPhoto;
  readonly cut: Cut;
};

interface ToSend {
  readonly kind: ItemKind;
  readonly record: Sent[ItemKind];
}

/** A record as it is sent. */
const sentOf = (kind: ItemKind, record: Sent[ItemKind]): object =>
  kind === 'photo' ? (record as KeptPhoto).record : record;

const STORE_OF = { paddock: 'paddocks', visit: 'visits', photo: 'photos', cut: 'cuts' } as const;

/** Something that was removed, or a visit that is part of another now. */
export interface Removal {
  readonly id: string;
  readonly kind: ItemKind;
  readonly into: string | null;
}

/** What the server says of what was sent. */
export interface Arrival {
  /** The record as it was when it was sent. */
  readonly sent?: object;
  /** As the server has it now. */
  readonly record?: object;
  readonly storedAt?: string;
  readonly contested?: readonly Contested[];
}

/** What the server says there is. */
export interface Pulled {
  readonly paddocks: readonly Paddock[];
  readonly visits: readonly Visit[];
  readonly photos: readonly KeptPhoto[];
  readonly estimates: readonly Estimate[];
  /** Why the server's run could not answer, by photo. */
  readonly problems: ReadonlyMap<string, string>;
  readonly cuts: readonly Cut[];
  readonly calibrations: readonly Calibration[];
  readonly removals: readonly Removal[];
  /** Which run answers; null: the server does not say. */
  readonly answering: Answering | null;
}

/** The farm as this device knows it: what is shown is read from here, and nothing is shown that is not kept. */
export class FarmStore {
  readonly keeping: Keeping;
  readonly paddocks: Signal<ById<Paddock>>;
  readonly visits: Signal<ById<Visit>>;
  readonly photos: Signal<ById<KeptPhoto>>;
  /** By photo. */
  readonly estimates: Signal<ReadonlyMap<string, readonly Estimate[]>>;
  readonly cuts: Signal<ById<Cut>>;
  readonly outbox: Signal<ById<OutboxItem>>;
  readonly settings: Signal<Settings>;
  /** Calibrations that the server has made, the newest first. */
  readonly calibrations: Signal<readonly Calibration[]>;
  /** What is to be said once. */
  readonly notices: Signal<readonly Notice[]>;
  /** Which run the server last said answers the farm's photos; null of a device by itself. */
  readonly answering: Signal<Answering | null>;
  /** Visits that are part of another now, by their former ids. */
  readonly #joined = new Map<string, string>();
  readonly #values: Map<string, unknown>;
  #last: Promise<void> = Promise.resolve();

  private constructor(keeping: Keeping, kept: Kept) {
    this.keeping = keeping;
    this.paddocks = signal(byId(kept.paddocks));
    this.visits = signal(byId(kept.visits));
    this.photos = signal(byId(kept.photos));
    this.estimates = signal(byPhoto(kept.estimates));
    this.cuts = signal(byId(kept.cuts));
    this.outbox = signal(new Map(kept.outbox.map((item) => [item.key, item])));
    this.#values = new Map(kept.settings.map(({ name, value }) => [name, value]));
    this.calibrations = signal((this.#values.get('calibrations') ?? []) as readonly Calibration[]);
    this.notices = signal((this.#values.get('notices') ?? []) as readonly Notice[]);
    this.answering = signal(Answering.safeParse(this.#values.get('answering')).data ?? null);
    const read = Settings.safeParse(this.#values.get('settings') ?? {});
    this.settings = signal(read.data ?? Settings.parse({}));
  }

  static async open(keeping: Keeping): Promise<FarmStore> {
    return new FarmStore(keeping, await keeping.readAll());
  }

  /** Keeps records and puts them into the outbox, in one step. @throws NoRoom */
  async save<Kind extends ItemKind>(kind: Kind, record: Sent[Kind], more: Changes = {}): Promise<void> {
    await this.saveAll([{ kind, record }], more);
  }

  /** As {@link save}, of several records at once. */
  saveAll(records: readonly ToSend[] | (() => readonly ToSend[]), more: Changes = {}): Promise<void> {
    return this.#inTurn(() => this.#writeToSend(typeof records === 'function' ? records() : records, more));
  }

  /** Changes single fields of a paddock, whatever others have made of its other fields meanwhile. @throws NoRoom */
  changePaddock(id: string, change: Partial<Omit<Paddock, 'id'>>): Promise<void> {
    return this.saveAll(() => {
      const paddock = this.paddocks.value.get(id);
      return paddock ? [{ kind: 'paddock', record: { ...paddock, ...change } }] : [];
    });
  }

  /** Keeps another frame or height of a photo; what was said of the one before goes, in the same step. @throws NoRoom */
  changePhoto(
    id: string,
    change: Partial<Pick<PhotoRecord, 'frameAreaSquareMetres' | 'height'>>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const photo = this.photos.value.get(id);
      if (!photo) return;
      const record = { ...photo, problem: null, record: { ...photo.record, ...change } };
      const estimates = (this.estimates.value.get(id) ?? []).map((estimate) => estimate.id);
      await this.#writeToSend([{ kind: 'photo', record }], { drop: { estimates } });
    });
  }

  /** Keeps what a run says of a photo; an earlier answer of the same run gives way. */
  addEstimate(estimate: Estimate): Promise<void> {
    return this.#inTurn(async () => {
      const earlier = (this.estimates.value.get(estimate.photoId) ?? [])
        .filter(({ run, id }) => run.hash === estimate.run.hash && id !== estimate.id)
        .map(({ id }) => id);
      await this.#write({ put: { estimates: [estimate] }, drop: { estimates: earlier } });
    });
  }

  /** Removes a record from this device, with what was said of it and what waited of it. */
  remove(kind: ItemKind, id: string): Promise<void> {
    return this.#inTurn(() => this.#write({ drop: this.#dropOf([{ kind, id }]) }));
  }

  /** Another device has removed what an item would change: it goes here too, and that is said. */
  removedElsewhere({ kind, id }: OutboxItem): Promise<void> {
    return this.#inTurn(() => this.#forget([{ kind, id, into: null }]));
  }

  /** Says something once, until it is understood. */
  async say(notices: readonly Notice[]): Promise<void> {
    if (notices.length === 0) return;
    await this.#setNotices([...this.notices.value, ...notices]);
  }

  /** A notice has been read. */
  understood(id: string): Promise<void> {
    return this.#setNotices(this.notices.value.filter((notice) => notice.id !== id));
  }

  async #setNotices(notices: readonly Notice[]): Promise<void> {
    await this.setValue('notices', notices);
    this.notices.value = notices;
  }

  #dropOf(gone: readonly Pick<Removal, 'kind' | 'id'>[]): NonNullable<Changes['drop']> {
    const idsOf = (kind: ItemKind): string[] => gone.filter((one) => one.kind === kind).map(({ id }) => id);
    const photos = idsOf('photo');
    return {
      paddocks: idsOf('paddock'),
      visits: idsOf('visit'),
      cuts: idsOf('cut'),
      photos,
      files: photos,
      thumbs: photos,
      estimates: photos.flatMap((id) => (this.estimates.value.get(id) ?? []).map((estimate) => estimate.id)),
      outbox: gone.map(({ kind, id }) => keyOf(kind, id)),
    };
  }

  #called({ kind, id }: Pick<Removal, 'kind' | 'id'>): Called {
    const name = kind === 'paddock' ? this.paddocks.value.get(id)?.name : undefined;
    const at =
      kind === 'photo'
        ? this.photos.value.get(id)?.record.capturedAt
        : kind === 'visit'
          ? this.visits.value.get(id)?.startedAt
          : undefined;
    return { kind, ...(name !== undefined && { name }), ...(at !== undefined && { at }) };
  }

  /** A visit by any id that it went by. */
  visit(id: string): Visit | undefined {
    const { value } = this.visits;
    return value.get(id) ?? value.get(this.#joined.get(id) ?? '');
  }

  /** Lets go of what is gone on the server. What waits here of it ends, and that is said; photos and cuts stay. */
  async #forget(removals: readonly Removal[]): Promise<void> {
    const into = new Map(removals.flatMap((one) => (one.into === null ? [] : [[one.id, one.into] as const])));
    for (const [id, visitId] of into) this.#joined.set(id, visitId);
    const removed = new Set(removals.flatMap((one) => (one.into === null ? [one.id] : [])));
    const waits = (kind: ItemKind, id: string): boolean => this.outbox.value.has(keyOf(kind, id));
    const isCutHere = (visitId: string): boolean =>
      [...this.cuts.value.values()].some((cut) => cut.visitId === visitId && waits('cut', cut.id));
    // What was begun here in a paddock that is gone cannot be sent; with a cut it stays, to be seen and exported.
    for (const { id, paddockId } of this.visits.value.values()) {
      if (removed.has(paddockId) && !isCutHere(id)) removed.add(id);
    }
    const known = (['paddock', 'visit', 'photo', 'cut'] as const).flatMap((kind) =>
      [...this[STORE_OF[kind]].value.keys()]
        .filter((id) => removed.has(id) || into.has(id))
        .map((id) => ({ kind, id })),
    );
    const visitNow = (id: string | null): string | null =>
      id === null || removed.has(id) ? null : (into.get(id) ?? id);
    const photos = [...this.photos.value.values()].flatMap((photo) => {
      const visitId = visitNow(photo.record.visitId);
      if (removed.has(photo.id) || visitId === photo.record.visitId) return [];
      return [{ ...photo, record: { ...photo.record, visitId } }];
    });
    const cuts = [...this.cuts.value.values()].flatMap((cut) => {
      const visitId = into.get(cut.visitId) ?? cut.visitId;
      const photoId = cut.photoId !== null && removed.has(cut.photoId) ? null : cut.photoId;
      const isSame = visitId === cut.visitId && photoId === cut.photoId;
      return removed.has(cut.id) || isSame ? [] : [{ ...cut, visitId, photoId }];
    });
    if (known.length + photos.length + cuts.length === 0) return;
    const ended = known.filter(({ kind, id }) => removed.has(id) && waits(kind, id));
    const unplaced = photos.filter(({ id, record }) => record.visitId === null && waits('photo', id)).length;
    const notices = [
      ...ended.filter(({ kind }) => kind !== 'visit').map((one) => removedNotice(this.#called(one))),
      ...(unplaced > 0 ? [unplacedNotice(unplaced)] : []),
    ];
    const drop = this.#dropOf(known);
    // Nor is a visit sent that is gone.
    const items = photos.flatMap(({ id, record }) => {
      const item = this.outbox.value.get(keyOf('photo', id));
      if (!item?.edits?.visitId || record.visitId !== null) return [];
      const { visitId: _, ...edits } = item.edits;
      return [{ ...item, edits, version: item.version + 1, refused: null }];
    });
    await this.#write({ put: { photos, cuts, outbox: items }, drop });
    await this.say(notices);
  }

  /** Changes what this device alone knows of a photo, which is not sent. */
  note(id: string, change: Partial<Omit<KeptPhoto, 'id' | 'record'>>): Promise<void> {
    return this.#inTurn(async () => {
      const photo = this.photos.value.get(id);
      if (photo) await this.#write({ put: { photos: [{ ...photo, ...change }] } });
    });
  }

  /** An item has arrived: it leaves the outbox, but for what has changed since. */
  arrived(item: OutboxItem, { sent, record, storedAt, contested = [] }: Arrival = {}): Promise<void> {
    return this.#inTurn(async () => {
      const { key, kind, id, version } = item;
      const now = this.outbox.value.get(key);
      const known = this[STORE_OF[kind]].value.get(id) as Sent[ItemKind] | undefined;
      if (!known || !now) return;
      const here = sentOf(kind, known);
      const since =
        sent && kind !== 'cut' && now.version !== version
          ? editsBetween(sent, here, new Date().toISOString())
          : null;
      // What was changed while the rest was under way stays changed on top of what the server has made of it.
      const next = record ? withEdits(record, since ?? {}, {}).record : here;
      const photo = known as KeptPhoto;
      const kept =
        kind === 'photo'
          ? { ...photo, record: next as PhotoRecord, storedAt: storedAt ?? photo.storedAt }
          : next;
      await this.#write({
        put: {
          [STORE_OF[kind]]: [kept],
          ...(since && { outbox: [{ ...now, edits: since }] }),
        },
        ...(now.version === version && { drop: { outbox: [key] } }),
      });
      await this.say(contested.map((one) => contestedNotice(this.#called(item), one)));
    });
  }

  /** An item was refused; it stays, and is sent again when it changes or somebody says so. */
  refused({ key }: OutboxItem, why: string | null): Promise<void> {
    return this.#inTurn(async () => {
      const item = this.outbox.value.get(key);
      if (item) await this.#write({ put: { outbox: [{ ...item, refused: why }] } });
    });
  }

  /** Takes in what the server has. What waits here to be sent stays as it is here; events of cuts are put together. */
  takeIn(pulled: Pulled): Promise<void> {
    return this.#inTurn(async () => {
      const waits = (kind: ItemKind, id: string): boolean => this.outbox.value.has(keyOf(kind, id));
      /** The server's record with what was changed here and waits; null: what is here is sent as a whole. */
      const withOwn = <Item extends object>(kind: ItemKind, id: string, record: Item): Item | null => {
        const item = this.outbox.value.get(keyOf(kind, id));
        if (!item) return record;
        return item.edits ? withEdits(record, item.edits, {}).record : null;
      };
      const gone = new Set(pulled.removals.map(({ id }) => id));
      const still = <Item extends { readonly id: string }>(items: readonly Item[]): Item[] =>
        items.filter(({ id }) => !gone.has(id));
      const photos = still(pulled.photos).map((photo) => {
        const known = this.photos.value.get(photo.id);
        const problem = pulled.problems.get(photo.id) ?? null;
        if (!known) return { ...photo, problem };
        const { storedAt } = photo;
        if (!waits('photo', photo.id)) return { ...known, record: photo.record, storedAt, problem };
        return { ...known, record: withOwn('photo', photo.id, photo.record) ?? known.record, storedAt };
      });
      // The server's are of the frame and the height that it knows, which are not those of a photo that waits.
      const estimates = pulled.estimates.filter(
        ({ photoId }) => !waits('photo', photoId) && !gone.has(photoId),
      );
      const cuts = still(pulled.cuts).map((cut) => {
        const known = this.cuts.value.get(cut.id);
        if (!known) return cut;
        const events = mergedEvents(known.events, cut.events);
        return waits('cut', cut.id) ? { ...known, events } : { ...cut, events };
      });
      const stale = this.#staleAfter(pulled.photos, estimates, waits);
      await this.#write({
        put: {
          paddocks: still(pulled.paddocks).flatMap((one) => withOwn('paddock', one.id, one) ?? []),
          visits: still(pulled.visits).flatMap((one) => withOwn('visit', one.id, one) ?? []),
          photos,
          estimates,
          cuts,
        },
        drop: { estimates: stale },
      });
      await this.#forget(pulled.removals);
      await this.setValue('calibrations', pulled.calibrations);
      this.calibrations.value = pulled.calibrations;
      if (pulled.answering) await this.setAnswering(pulled.answering);
    });
  }

  /**
   * Estimates that are kept here and are void: of photos that do not wait here, and of which the server has said something
   * else, or has another frame or height than this device had. What it forgot, of whichever run, goes here too.
   */
  #staleAfter(
    photos: readonly KeptPhoto[],
    estimates: readonly Estimate[],
    waits: (kind: ItemKind, id: string) => boolean,
  ): string[] {
    const said = new Set(estimates.map(({ id }) => id));
    const answered = new Set(estimates.map(({ photoId }) => photoId));
    const askedOtherwise = new Set(
      photos.flatMap(({ id, record }) => {
        const known = this.photos.value.get(id)?.record;
        return known && !waits('photo', id) && !isAskedAlike(known, record) ? [id] : [];
      }),
    );
    return [...this.estimates.value.values()]
      .flat()
      .filter(({ id, photoId }) => !said.has(id) && (answered.has(photoId) || askedOtherwise.has(photoId)))
      .map(({ id }) => id);
  }

  /** Notes which run answers; null: this device is by itself. */
  async setAnswering(answering: Answering | null): Promise<void> {
    if (JSON.stringify(answering) === JSON.stringify(this.answering.value)) return;
    await (answering ? this.setValue('answering', answering) : this.dropValue('answering'));
    this.answering.value = answering;
  }

  async changeSettings(change: Partial<Settings>): Promise<void> {
    const settings = { ...this.settings.value, ...change };
    await this.setValue('settings', settings);
    this.settings.value = settings;
  }

  /** A value under a name: a draft, what is known of the server. */
  value(name: string): unknown {
    return this.#values.get(name);
  }

  async setValue(name: string, value: unknown): Promise<void> {
    this.#values.set(name, value);
    await this.keeping.write({ put: { settings: [{ name, value }] } });
  }

  async dropValue(name: string): Promise<void> {
    this.#values.delete(name);
    await this.keeping.write({ drop: { settings: [name] } });
  }

  /** Forgets files of photos that the server has, to make room. @returns how many */
  async forgetSentFiles(): Promise<number> {
    const ids = [...this.photos.value.values()]
      .filter(({ id, storedAt }) => storedAt !== null && !this.outbox.value.has(keyOf('photo', id)))
      .map(({ id }) => id);
    await this.keeping.write({ drop: { files: ids } });
    return ids.length;
  }

  /** Removes everything of the farm from this device but what waits to be sent, and what was set for the device. */
  leaveFarm(): Promise<void> {
    return this.#inTurn(async () => {
      const waits = [...this.outbox.value.values()];
      const goneOf = (kind: ItemKind): string[] => {
        const kept = new Set(waits.filter((item) => item.kind === kind).map(({ id }) => id));
        return [...this[STORE_OF[kind]].value.keys()].filter((id) => !kept.has(id));
      };
      const photos = goneOf('photo');
      // Of a photo that is on the server no more waits than what was changed of it.
      const files = [...this.photos.value.values()].filter(({ storedAt }) => storedAt !== null);
      const isDraft = (name: string): boolean =>
        waits.some(({ kind, id }) => kind === 'cut' && name.startsWith(`draft/${id}/`));
      const settings = [...this.#values.keys()].filter((name) => name !== 'settings' && !isDraft(name));
      await this.#write({
        drop: {
          photos,
          files: [...photos, ...files.map(({ id }) => id)],
          thumbs: photos,
          estimates: photos.flatMap((id) => this.estimates.value.get(id)?.map((said) => said.id) ?? []),
          paddocks: goneOf('paddock'),
          visits: goneOf('visit'),
          cuts: goneOf('cut'),
          settings,
        },
      });
      for (const name of settings) this.#values.delete(name);
      this.calibrations.value = [];
      this.notices.value = [];
      this.answering.value = null;
    });
  }

  /** One change after another: what is made of what is here must not be made of what another is just changing. */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change);
    this.#last = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  async #writeToSend(records: readonly ToSend[], more: Changes): Promise<void> {
    const put: { -readonly [Store in keyof Kept]?: unknown[] } = { ...(more.put as object) };
    for (const { kind, record } of records) {
      const key = keyOf(kind, record.id);
      const known = this.outbox.value.get(key);
      const now = new Date().toISOString();
      const before = this[STORE_OF[kind]].value.get(record.id) as Sent[ItemKind] | undefined;
      // The server has what is here and does not wait; of what it has, only what was changed is sent.
      const isThere = kind !== 'cut' && before && (known ? known.edits : true);
      const edits =
        isThere &&
        followedBy(known?.edits ?? {}, editsBetween(sentOf(kind, before), sentOf(kind, record), now));
      const item: OutboxItem = {
        key,
        kind,
        id: record.id,
        version: (known?.version ?? 0) + 1,
        since: known?.since ?? now,
        refused: null,
        ...(edits && { edits }),
      };
      put[STORE_OF[kind]] = [...(put[STORE_OF[kind]] ?? []), record];
      put.outbox = [...(put.outbox ?? []), item];
    }
    await this.#write({ ...more, put: put as NonNullable<Changes['put']> });
  }

  async #write(changes: Changes): Promise<void> {
    await this.keeping.write(changes);
    const { put = {}, drop = {} } = changes;
    for (const store of ['paddocks', 'visits', 'photos', 'cuts'] as const) {
      const target = this[store] as Signal<ReadonlyMap<string, { readonly id: string }>>;
      renew(target, put[store] ?? [], ({ id }) => id, drop[store] ?? []);
    }
    renew(this.outbox, put.outbox ?? [], ({ key }) => key, drop.outbox ?? []);
    if (put.estimates || drop.estimates) {
      const all = new Map([...this.estimates.value.values()].flat().map((item) => [item.id, item]));
      for (const id of drop.estimates ?? []) all.delete(id);
      for (const item of put.estimates ?? []) all.set(item.id, item);
      this.estimates.value = byPhoto([...all.values()]);
    }
  }
}

const byId = <Item extends { readonly id: string }>(items: readonly Item[]): ById<Item> =>
  new Map(items.map((item) => [item.id, item]));

function byPhoto(estimates: readonly Estimate[]): ReadonlyMap<string, readonly Estimate[]> {
  const groups = new Map<string, Estimate[]>();
  for (const estimate of estimates) {
    const group = groups.get(estimate.photoId) ?? [];
    group.push(estimate);
    groups.set(estimate.photoId, group);
  }
  return groups;
}

function renew<Item>(
  target: Signal<ReadonlyMap<string, Item>>,
  put: readonly Item[],
  keyIn: (item: Item) => string,
  drop: readonly string[],
): void {
  if (put.length === 0 && drop.length === 0) return;
  const next = new Map(target.value);
  for (const key of drop) next.delete(key);
  for (const item of put) next.set(keyIn(item), item);
  target.value = next;
}
