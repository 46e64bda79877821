import { type Signal, signal } from '@preact/signals';
import { z } from 'zod';
import { messageOf } from '../../../src/ground/errors.ts';
import type { LoadProgress } from '../engine/download.ts';
import type { Engine } from '../engine/engine.ts';
import type { GraphicsSeconds } from '../engine/graphics-test.ts';
import type { GraphicsGone } from '../engine/messages.ts';
import { forgetGraphics } from '../engine/piece-store.ts';
import type { FarmStore } from '../store/farm-store.ts';

/** Whether photos are answered by this device's graphics chip. */
export type GraphicsState =
  /** By nobody's wish, or for what is said. */
  | { readonly kind: 'off'; readonly said: string | null }
  | { readonly kind: 'fetching'; readonly progress: LoadProgress }
  | { readonly kind: 'testing' }
  | { readonly kind: 'used'; readonly seconds: GraphicsSeconds }
  /** Wished for, and tried when the app is next opened, or has a network. */
  | { readonly kind: 'waiting'; readonly why: string };

/** What is kept of it, and its name among what the store keeps. */
const Kept = z.object({ isWanted: z.boolean(), isTested: z.boolean(), said: z.string().nullable() });
const KEPT = 'graphics';
type Kept = z.output<typeof Kept>;

/** After which time files that were asked for before are there. */
const LATE_FILES_MS = 10_000;

const secondsWords = ({ with: its, without }: GraphicsSeconds): string =>
  `${its.toFixed(2)} s a photo with it, ${without.toFixed(2)} s without`;

/** What is said of it in a line; null where nothing is to be said. */
export function graphicsWords(state: GraphicsState): string | null {
  switch (state.kind) {
    case 'off':
      return state.said;
    case 'fetching':
      return 'Fetching what it needs.';
    case 'testing':
      return 'Testing whether it answers as sward does, and sooner. Photos are answered meanwhile.';
    case 'used':
      return `Used: ${secondsWords(state.seconds)}.`;
    case 'waiting':
      return `Not used now: ${state.why}.`;
  }
}

/** Whether this browser gives pages a graphics chip to compute on. */
export async function hasGraphicsChip(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return Boolean(adapter);
}

/** The owner's wish that the graphics chip computes, and what has come of it. */
export class Graphics {
  readonly state: Signal<GraphicsState>;
  readonly #store: FarmStore;
  #kept: Kept;
  #engine: Engine | null = null;
  #attempts = 0;

  constructor(store: FarmStore) {
    this.#store = store;
    this.#kept = Kept.safeParse(store.value(KEPT)).data ?? { isWanted: false, isTested: false, said: null };
    this.state = signal(
      this.#kept.isWanted
        ? { kind: 'waiting', why: 'the model is not open yet' }
        : { kind: 'off', said: this.#kept.said },
    );
    // A test that has ended the page would end the next one too.
    if (this.#kept.isTested) void this.turnOff('Switched off: the app ended while it was tested.');
    // What came too late to be forgotten when it was switched off.
    else if (!this.#kept.isWanted) void forgetGraphics();
    addEventListener('online', () => {
      if (this.state.peek().kind === 'waiting') void this.#try();
    });
  }

  /** Takes an engine that answers from now on; null: none does. */
  async serve(engine: Engine | null): Promise<void> {
    this.#engine = engine;
    this.#attempts++;
    if (this.#kept.isWanted) await this.#try();
  }

  async turnOn(): Promise<void> {
    await this.#keep({ isWanted: true, isTested: false, said: null });
    await this.#try();
  }

  /** @param said why, where it was not by wish */
  async turnOff(said: string | null = null): Promise<void> {
    this.#attempts++;
    this.state.value = { kind: 'off', said };
    await this.#keep({ isWanted: false, isTested: false, said });
    await this.#engine?.leaveGraphics().catch(() => {});
    await forgetGraphics();
    // A file that was on its way to the service worker is kept by it when it has come.
    setTimeout(() => {
      if (!this.#kept.isWanted) void forgetGraphics();
    }, LATE_FILES_MS);
  }

  /** Takes note that it has answered its last photo. */
  async isGone({ why, atWork }: GraphicsGone): Promise<void> {
    if (!this.#kept.isWanted) return;
    if (atWork) await this.turnOff(`Switched off: ${why}.`);
    // Phones take chips away from apps that are not looked at.
    else this.state.value = { kind: 'waiting', why: `${why}; it is tried when the app is next opened` };
  }

  async #try(): Promise<void> {
    const engine = this.#engine;
    if (!engine) {
      this.state.value = { kind: 'waiting', why: 'no model is open' };
      return;
    }
    const attempt = ++this.#attempts;
    const isOver = (): boolean => this.#attempts !== attempt;
    try {
      const test = await engine.useGraphics(new URL('/graphics/', location.href), {
        onProgress: (progress) => {
          if (isOver()) return;
          if (progress.loaded < progress.total) this.state.value = { kind: 'fetching', progress };
          else {
            this.state.value = { kind: 'testing' };
            void this.#keep({ ...this.#kept, isTested: true });
          }
        },
      });
      if (isOver()) return;
      if (test.isUsed) {
        this.state.value = { kind: 'used', seconds: test.seconds };
        await this.#keep({ ...this.#kept, isTested: false });
      } else {
        const { why, seconds } = test;
        await this.turnOff(`Not used: ${why}${seconds ? ` (${secondsWords(seconds)})` : ''}.`);
      }
    } catch (error) {
      if (isOver()) return;
      this.state.value = { kind: 'waiting', why: messageOf(error) };
      await this.#keep({ ...this.#kept, isTested: false });
    }
  }

  async #keep(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#store.setValue(KEPT, kept);
  }
}
