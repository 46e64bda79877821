import { type Signal, signal } from '@preact/signals';

/** Keeps the shell for times without a network, and says when a newer one has come. */
export class Updates {
  /** Whether a newer shell waits; taking it opens the app again and loses nothing. */
  readonly waiting: Signal<boolean> = signal(false);
  /** Whether the app opens without a network from now on. */
  readonly offlineReady: Signal<boolean> = signal(false);
  #registration: ServiceWorkerRegistration | null = null;

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
      this.waiting.value = registration.waiting !== null && navigator.serviceWorker.controller !== null;
      if (registration.active) this.offlineReady.value = true;
    };
    look();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look);
    });
    await navigator.serviceWorker.ready;
    look();
  }

  take(): void {
    this.#registration?.waiting?.postMessage({ type: 'SKIP_WAITING' });
  }
}
