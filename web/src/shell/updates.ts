import { type Signal, signal } from '@preact/signals';
import { forgetEarlierParts, keepLaterParts } from './later-parts.ts';

/** Keeps the shell for times without a network, and says when a newer one has come. */
export class Updates {
  /** Whether a newer shell waits; taking it opens the app again and loses nothing. */
  readonly waiting: Signal<boolean> = signal(false);
  /** What of the app works without a network from now on: nothing, its first screens, or all of it. */
  readonly offline: Signal<'nothing' | 'shell' | 'all'> = signal('nothing');
  #registration: ServiceWorkerRegistration | null = null;
  /** One look after another: what one keeps the other must not forget. */
  #looking: Promise<void> = Promise.resolve();

  async begin(): Promise<void> {
    if (!('serviceWorker' in navigator)) return;
    const hadOne = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      // The first one takes over a page that it has made no promise to yet.
      if (hadOne) location.reload();
    });
    const registration = await navigator.serviceWorker.register('/sw.js').catch(() => null);
    if (!registration) return;
    this.#registration = registration;
    const look = (): void => {
      this.#looking = this.#looking.then(() => this.#look(registration));
    };
    const follow = (): void => registration.installing?.addEventListener('statechange', look);
    registration.addEventListener('updatefound', follow);
    // One that was found before this page looked for it is told of by no event.
    follow();
    // What could not be fetched is tried again when there is a network.
    addEventListener('online', look);
    await navigator.serviceWorker.ready;
    look();
  }

  async #look(registration: ServiceWorkerRegistration): Promise<void> {
    if (this.offline.value === 'nothing') this.offline.value = 'shell';
    const isKept = await keepLaterParts('own').then(
      () => true,
      () => false,
    );
    if (isKept) this.offline.value = 'all';
    const waits = (): boolean => registration.waiting !== null && navigator.serviceWorker.controller !== null;
    // A newer shell is offered with its parts; without them only where they cannot be had.
    if (waits()) await keepLaterParts('newest').catch(() => {});
    else if (isKept) await forgetEarlierParts().catch(() => {});
    this.waiting.value = waits();
  }

  /** Opens the app again with the newer shell; where that has taken over meanwhile, as from another window, at once. */
  take(): void {
    const waiting = this.#registration?.waiting;
    if (!waiting) {
      location.reload();
      return;
    }
    waiting.addEventListener('statechange', () => {
      if (waiting.state === 'activated') location.reload();
    });
    waiting.postMessage({ type: 'SKIP_WAITING' });
  }
}
