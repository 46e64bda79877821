import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { RunReference } from '../../../src/farm/index.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import type { LoadProgress } from '../engine/download.ts';
import { Engine } from '../engine/engine.ts';
import type { Opened } from '../engine/messages.ts';
import { forgetOtherModels } from '../engine/piece-store.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { Graphics } from './graphics.ts';
import { type PhoneRun, type Wanted, wantedOf } from './phone-run.ts';
import { estimateOf, readingsFor } from './portable-estimate.ts';

/** How far this device is with estimating by itself. */
export type EstimatorState =
  | { readonly kind: 'loading'; readonly progress: LoadProgress | null }
  | { readonly kind: 'ready'; readonly opened: Opened; readonly run: RunReference }
  /** The farm's run is the server's alone to evaluate. */
  | { readonly kind: 'server'; readonly run: RunReference; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Without photos for so long, the memory of the model is given back. */
const IDLE_MS = 60_000;

/** Name of the run that this device opened last, among what the store keeps. */
const LAST = 'phone-run';

/** Estimates photos on this device, one after another, as they are kept: by the farm's run where it can. */
export class Estimator {
  readonly state: Signal<EstimatorState> = signal({ kind: 'loading', progress: null });
  /** How much of the farm's run is here, while another still answers; null where none is being fetched. */
  readonly fetching: Signal<LoadProgress | null> = signal(null);
  /** The photo that is being estimated. */
  readonly current: Signal<string | null> = signal(null);
  readonly graphics: Graphics;
  readonly #store: FarmStore;
  readonly #wanted: ReadonlySignal<Wanted>;
  #engine: Engine | null = null;
  #opening: Promise<void> = Promise.resolve();
  #asking: Promise<void> = Promise.resolve();
  #tried = new Set<string>();
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(store: FarmStore) {
    this.#store = store;
    this.graphics = new Graphics(store);
    this.#wanted = computed(() => wantedOf(store.answering.value, this.#last()));
    addEventListener('online', () => void this.open());
    effect(() => {
      void this.#store.photos.value;
      void this.#store.estimates.value;
      if (this.state.value.kind === 'ready' && this.current.value === null)
        queueMicrotask(() => {
          if (this.current.peek() === null) this.#asking = this.#next();
        });
    });
  }

  /** Opens what is to answer, now and whenever that becomes another. */
  begin(): void {
    effect(() => {
      void this.#wanted.value;
      void this.open();
    });
  }

  /** Fetches what is not here of the run that is wanted, and tests it; without effect where it answers already. */
  open(): Promise<void> {
    this.#opening = this.#opening.then(() => this.#open());
    return this.#opening;
  }

  /** Asks again about a photo, as after its frame has changed. */
  again(photoId: string): void {
    this.#tried.delete(photoId);
  }

  #last(): PhoneRun | null {
    return (this.#store.value(LAST) as PhoneRun | undefined) ?? null;
  }

  async #open(): Promise<void> {
    const wanted = this.#wanted.peek();
    const state = this.state.peek();
    if (wanted.kind === 'server') {
      await this.#replace(null, wanted);
      return;
    }
    const { phoneRun } = wanted;
    if (state.kind === 'ready' && state.run.hash === phoneRun.run.hash) return;
    if (state.kind !== 'ready') this.state.value = { kind: 'loading', progress: null };
    const why = await this.#tryOpen(phoneRun);
    if (why === null) await forgetOtherModels(new URL(phoneRun.folder, location.href));
    if (why === null || this.state.peek().kind === 'ready') return;
    // Without a network the one before may still be here.
    const last = this.#last();
    if (last && last.run.hash !== phoneRun.run.hash && (await this.#tryOpen(last)) === null) return;
    this.state.value = { kind: 'failed', why };
  }

  /** @returns why it cannot be had; null: it answers from now on */
  async #tryOpen({ run, folder }: PhoneRun): Promise<string | null> {
    const engine = new Engine();
    const addresses = { model: new URL(folder, location.href), runtime: new URL('/runtime/', location.href) };
    try {
      const opened = await engine.open(addresses, (progress) => {
        if (this.state.peek().kind === 'ready') this.fetching.value = progress;
        else this.state.value = { kind: 'loading', progress };
      });
      await this.#replace(engine, { kind: 'ready', opened, run });
      await this.#store.setValue(LAST, { run, folder });
      return null;
    } catch (error) {
      engine.close();
      return messageOf(error);
    } finally {
      this.fetching.value = null;
    }
  }

  /** Puts another engine, or none, in the place of this one, once the photo under way is through. */
  async #replace(engine: Engine | null, state: EstimatorState): Promise<void> {
    while (this.current.peek() !== null) await this.#asking;
    clearTimeout(this.#idle);
    this.#engine?.close();
    this.#engine = engine;
    this.state.value = state;
    void this.graphics.serve(engine);
  }

  async #next(): Promise<void> {
    const state = this.state.peek();
    const engine = this.#engine;
    if (state.kind !== 'ready' || !engine) return;
    const photo = [...this.#store.photos.peek().values()].find(
      ({ id, problem }) => problem === null && !this.#tried.has(id) && !this.#store.estimates.peek().has(id),
    );
    if (!photo) return;
    this.#tried.add(photo.id);
    this.current.value = photo.id;
    clearTimeout(this.#idle);
    try {
      const file = await this.#store.keeping.file(photo.id);
      // A photo of another device is the server's to estimate.
      if (!file) return;
      const { record } = photo;
      const readings = readingsFor(state.opened.by, record);
      const answer = await engine.estimate(photo.fileName, file, { readings });
      if (answer.graphicsGone) void this.graphics.isGone(answer.graphicsGone);
      const latest = this.#store.photos.peek().get(photo.id)?.record ?? record;
      // Told of another height meanwhile, it is asked again.
      if (JSON.stringify(latest.height) !== JSON.stringify(record.height)) this.#tried.delete(photo.id);
      else await this.#store.addEstimate(estimateOf(answer, latest, state.run));
    } catch (error) {
      await this.#store.note(photo.id, { problem: messageOf(error) }).catch(() => {});
    } finally {
      this.current.value = null;
      this.#idle = setTimeout(() => void engine.release().catch(() => {}), IDLE_MS);
    }
  }
}
