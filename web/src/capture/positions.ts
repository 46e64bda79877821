import { type Signal, signal } from '@preact/signals';
import type { Position } from '../../../src/farm/index.ts';

/** A position with when it was found. */
interface Fix {
  readonly at: number;
  readonly position: Position;
}

/** A fix is of a shutter when it was found at most so long before or after. */
const NEAR_MS = 60_000;
const KEPT_FIXES = 300;

/** How the search for a position goes. */
export type PositionState =
  | { readonly kind: 'off' | 'searching' }
  | { readonly kind: 'found'; readonly position: Position }
  | { readonly kind: 'denied'; readonly why: string };

/**
 * Follows where the device is while photos are taken, so that the position of a photo is that of its shutter and never of
 * where it was sent from.
 */
export class Positions {
  readonly state: Signal<PositionState> = signal({ kind: 'off' });
  #fixes: Fix[] = [];
  #watch: number | null = null;

  /** Starts following; asks for leave the first time. */
  start(): void {
    if (this.#watch !== null) return;
    if (!('geolocation' in navigator)) {
      this.state.value = { kind: 'denied', why: 'This browser tells no position.' };
      return;
    }
    if (this.state.value.kind === 'off') this.state.value = { kind: 'searching' };
    this.#watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        const { longitude, latitude, accuracy } = coords;
        const position = { longitude, latitude, accuracyMetres: accuracy };
        this.#fixes = [...this.#fixes, { at: timestamp, position }].slice(-KEPT_FIXES);
        this.state.value = { kind: 'found', position };
      },
      ({ code, message }) => {
        // Later fixes may still come, unless leave was denied.
        if (code === GeolocationPositionError.PERMISSION_DENIED) {
          this.stop();
          this.state.value = {
            kind: 'denied',
            why: 'Position is not allowed for this app; choose the paddock yourself.',
          };
        } else if (this.state.value.kind !== 'found') {
          this.state.value = {
            kind: 'denied',
            why: `No position yet (${message}); choose the paddock yourself.`,
          };
        }
      },
      { enableHighAccuracy: true, maximumAge: 5_000, timeout: 60_000 },
    );
  }

  stop(): void {
    if (this.#watch !== null) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = null;
  }

  /** Where the device was at a moment; null where no fix is near enough in time. @param at milliseconds since 1970 */
  at(moment: number): Position | null {
    const near = this.#fixes
      .map(({ at, position }) => ({ position, apart: Math.abs(at - moment) }))
      .filter(({ apart }) => apart <= NEAR_MS)
      .sort(
        (a, b) => a.apart - b.apart || (a.position.accuracyMetres ?? 0) - (b.position.accuracyMetres ?? 0),
      );
    return near[0]?.position ?? null;
  }
}
