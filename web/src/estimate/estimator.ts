import { effect, type Signal, signal } from '@preact/signals';
import { messageOf } from '../../../src/ground/errors.ts';
import type { LoadProgress } from '../engine/download.ts';
import { Engine } from '../engine/engine.ts';
import type { Opened } from '../engine/messages.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { estimateOf, readingsFor } from './portable-estimate.ts';

/** How far this device is with estimating by itself. */
export type EstimatorState =
  | { readonly kind: 'loading'; readonly progress: LoadProgress | null }
  | { readonly kind: 'ready'; readonly opened: Opened }
  | { readonly kind: 'failed'; readonly why: string };

/** Without photos for so long, the memory of the model is given back. */
const IDLE_MS = 60_000;

/** Estimates photos on this device, one after another, as they are kept. */
export class Estimator {
  readonly state: Signal<EstimatorState> = signal({ kind: 'loading', progress: null });
  /** The photo that is being estimated. */
  readonly current: Signal<string | null> = signal(null);
  readonly #store: FarmStore;
  #engine: Engine | null = null;
  #tried = new Set<string>();
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(store: FarmStore) {
    this.#store = store;
    addEventListener('online', () => {
      if (this.state.value.kind === 'failed') void this.open();
    });
    effect(() => {
      void this.#store.photos.value;
      void this.#store.estimates.value;
      if (this.state.value.kind === 'ready' && this.current.value === null)
        queueMicrotask(() => void this.#next());
    });
  }

  /** Fetches what is not here, and tests it. */
  async open(): Promise<void> {
    this.state.value = { kind: 'loading', progress: null };
    this.#engine?.close();
    const engine = new Engine();
    this.#engine = engine;
    const model = new URL('/models/starter/', location.href);
    const runtime = new URL('/runtime/', location.href);
    try {
      const opened = await engine.open({ model, runtime }, (progress) => {
        this.state.value = { kind: 'loading', progress };
      });
      this.state.value = { kind: 'ready', opened };
    } catch (error) {
      this.state.value = { kind: 'failed', why: messageOf(error) };
    }
  }

  /** Asks again about a photo, as after its frame has changed. */
  again(photoId: string): void {
    this.#tried.delete(photoId);
  }

  async #next(): Promise<void> {
    const state = this.state.peek();
    const engine = this.#engine;
    if (state.kind !== 'ready' || this.current.peek() !== null || !engine) return;
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
      const latest = this.#store.photos.peek().get(photo.id)?.record ?? record;
      // Told of another height meanwhile, it is asked again.
      if (JSON.stringify(latest.height) !== JSON.stringify(record.height)) this.#tried.delete(photo.id);
      else await this.#store.addEstimate(estimateOf(answer, latest));
    } catch (error) {
      await this.#store.note(photo.id, { problem: messageOf(error) }).catch(() => {});
    } finally {
      this.current.value = null;
      this.#idle = setTimeout(() => void engine.release().catch(() => {}), IDLE_MS);
    }
  }
}
