import { effect } from '@preact/signals';
import type { FarmStore } from '../store/farm-store.ts';

/** Keeps the page light or dark, as the person says, or else the device. */
export function followTheme(store: FarmStore): void {
  effect(() => {
    const { theme } = store.settings.value;
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  });
}
