import { UsageError } from './errors.ts';
import type { SettingChange } from './setting-change.ts';

/** Settings that say nothing while others are as they are. */
export interface IdleRule<Settings> {
  /** Their names below what the rule is of: of a setting, or of all in it (`fineTune.lora`). */
  readonly names: readonly string[];
  /** Why they say nothing, with the remedy; null where they do. Names of settings begin with `@` in place of the path above. */
  readonly reason: (settings: Settings) => string | null;
}

/** A value that a person wrote, at its full path. */
export interface WrittenSetting {
  readonly path: string;
  readonly value: unknown;
}

/** What changes write, value by value: those in lists and objects by their places. */
export function writtenBy(changes: readonly Pick<SettingChange, 'path' | 'value'>[]): WrittenSetting[] {
  return changes.flatMap(({ path, value }) => leaves(path.join('.'), value));
}

function leaves(path: string, value: unknown): WrittenSetting[] {
  const isList = Array.isArray(value) && value.every((item) => typeof item !== 'object');
  if (typeof value !== 'object' || value === null || isList) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) => leaves(`${path}.${name}`, inner));
}

/**
 * Refuses what a person wrote and would have no effect. What switches something off may be written anyway.
 *
 * @param at where the settings are: `estimator`
 * @throws UsageError naming the setting, why, and the remedy
 */
export function requireEffect<Settings>(
  where: string,
  at: string,
  settings: Settings,
  rules: readonly IdleRule<Settings>[],
  written: readonly WrittenSetting[],
): void {
  for (const { names, reason } of rules) {
    const why = reason(settings)?.replaceAll('@', `${at}.`);
    if (why === undefined) continue;
    for (const { path, value } of written) {
      const isOff = value === null || value === false || value === 0;
      const isMeant = names.some((name) => path === `${at}.${name}` || path.startsWith(`${at}.${name}.`));
      if (isMeant && !isOff) throw new UsageError(`${where}: ${path} has no effect: ${why}`);
    }
  }
}
