import { createContext } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import type { Positions } from '../capture/positions.ts';
import type { Estimator } from '../estimate/estimator.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { MassMaps } from '../sync/mass-maps.ts';
import type { Sync } from '../sync/sync.ts';
import type { Updates } from './updates.ts';

/** What every screen works with. */
export interface App {
  readonly store: FarmStore;
  readonly estimator: Estimator;
  readonly sync: Sync;
  readonly maps: MassMaps;
  readonly positions: Positions;
  readonly updates: Updates;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('a screen outside the app');
  return app;
}

/** Whether this device may record: one that is paired to look alone may not. */
export const useMayRecord = (): boolean => useApp().sync.device.value?.role !== 'viewer';

/** Follows where the device is while a screen is looked at. */
export function usePositions(): Positions {
  const { positions } = useApp();
  useEffect(() => {
    positions.start();
    return () => positions.stop();
  }, [positions]);
  return positions;
}
