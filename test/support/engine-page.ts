import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import type { Driver } from '../web/page/main.ts';

const ROOT = fileURLToPath(new URL('../web/page/', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../web/vite.config.ts', import.meta.url));

/** Builds a page with nothing but the engine, as the app is built. */
export async function buildEnginePage(outDir: string): Promise<void> {
  await build({ configFile: CONFIG, root: ROOT, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
}

/** Calls a function of the page's driver. */
export function drive<Name extends keyof Driver>(
  page: Page,
  name: Name,
  ...args: Parameters<Driver[Name]>
): Promise<Awaited<ReturnType<Driver[Name]>>> {
  return page.evaluate(
    ([called, given]) => {
      const { driver } = globalThis as unknown as { driver: Record<string, (...args: unknown[]) => unknown> };
      return driver[called]?.(...given) as never;
    },
    [name, args] as const,
  );
}
