import { type Signal, signal } from '@preact/signals';
import {
  Answering,
  type Calibration,
  type Cut,
  type Estimate,
  mergedEvents,
  type Paddock,
  type PhotoRecord,
  type Visit,
} from '../../../src/farm/index.ts';
import type { Keeping } from './keeping.ts';
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

const STORE_OF = { paddock: 'paddocks', visit: 'visits', photo: 'photos', cut: 'cuts' } as const;

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
  /** Which run the server last said answers the farm's photos; null of a device by itself. */
  readonly answering: Signal<Answering | null>;
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
  saveAll(records: readonly ToSend[], more: Changes = {}): Promise<void> {
    return this.#inTurn(() => this.#writeToSend(records, more));
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

  /** Removes a photo from this device, with what was said of it. */
  removePhoto(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write({
        drop: {
          photos: [id],
          files: [id],
          thumbs: [id],
          estimates: (this.estimates.value.get(id) ?? []).map((estimate) => estimate.id),
          outbox: [keyOf('photo', id)],
        },
      });
    });
  }

  /** Changes what this device alone knows of a photo, which is not sent. */
  note(id: string, change: Partial<Omit<KeptPhoto, 'id' | 'record'>>): Promise<void> {
    return this.#inTurn(async () => {
      const photo = this.photos.value.get(id);
      if (photo) await this.#write({ put: { photos: [{ ...photo, ...change }] } });
    });
  }

  /** An item has arrived: it leaves the outbox, unless it has changed since. */
  arrived({ key, version }: OutboxItem, photo?: { id: string; storedAt: string }): Promise<void> {
    return this.#inTurn(async () => {
      const isSame = this.outbox.value.get(key)?.version === version;
      const known = photo && this.photos.value.get(photo.id);
      await this.#write({
        ...(known && photo && { put: { photos: [{ ...known, storedAt: photo.storedAt }] } }),
        ...(isSame && { drop: { outbox: [key] } }),
      });
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
      const photos = pulled.photos.map((photo) => {
        const known = this.photos.value.get(photo.id);
        const problem = pulled.problems.get(photo.id) ?? null;
        if (!known) return { ...photo, problem };
        const { storedAt, record } = photo;
        return waits('photo', photo.id) ? { ...known, storedAt } : { ...known, record, storedAt, problem };
      });
      // The server's are of the frame and the height that it knows, which are not those of a photo that waits.
      const estimates = pulled.estimates.filter(({ photoId }) => !waits('photo', photoId));
      const cuts = pulled.cuts.map((cut) => {
        const known = this.cuts.value.get(cut.id);
        if (!known) return cut;
        const events = mergedEvents(known.events, cut.events);
        return waits('cut', cut.id) ? { ...known, events } : { ...cut, events };
      });
      // The server forgets estimates that another frame or height has made void, and so does this device.
      const said = new Set(estimates.map(({ id }) => id));
      const answered = new Set(estimates.map(({ photoId, run }) => `${photoId} ${run.hash}`));
      const stale = [...this.estimates.value.values()]
        .flat()
        .filter(({ id, photoId, run }) => !said.has(id) && answered.has(`${photoId} ${run.hash}`))
        .map(({ id }) => id);
      await this.#write({
        put: {
          paddocks: pulled.paddocks.filter(({ id }) => !waits('paddock', id)),
          visits: pulled.visits.filter(({ id }) => !waits('visit', id)),
          photos,
          estimates,
          cuts,
        },
        drop: { estimates: stale },
      });
      await this.setValue('calibrations', pulled.calibrations);
      this.calibrations.value = pulled.calibrations;
      if (pulled.answering) await this.setAnswering(pulled.answering);
    });
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
      const item: OutboxItem = {
        key,
        kind,
        id: record.id,
        version: (known?.version ?? 0) + 1,
        since: known?.since ?? new Date().toISOString(),
        refused: null,
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
