import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    cache: string;
  }
}

/**
 * A cache that test files share: most train on the same small photos, which need be described once only, as what is
 * remembered goes by content. What is about remembering, or ends commands in the midst of it, has a cache of its own.
 */
export const sharedCache = (): string => inject('cache');

/** Makes it before the first test, one for all of Vitest's projects, and removes it after the last. */
export default function setup({ vitest }: TestProject): (() => void) | undefined {
  const all = vitest.getRootProject();
  if (all.getProvidedContext().cache !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'sward-shared-cache-'));
  all.provide('cache', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
