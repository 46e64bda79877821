import { UsageError } from './errors.ts';

/** One setting as `--set a.b=value` gives it. */
export interface SettingChange {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As written, for messages. */
  readonly written: string;
}

/**
 * Takes a change apart. Values are JSON where they parse as such, lists where they hold commas, else text.
 *
 * @throws UsageError for one that is not `a.b=value`
 */
export function parseChange(written: string): SettingChange {
  const at = written.indexOf('=');
  const path = written.slice(0, at).split('.');
  const place = path.findIndex((part) => /^\d+$/.test(part));
  if (at > 0 && place > 0) {
    const list = path.slice(0, place).join('.');
    throw new UsageError(
      `--set ${written}: what a list holds cannot be set singly; give the list whole, as --set '${list}=[…]' in JSON, or write it into a recipe file`,
    );
  }
  if (at < 1 || !path.every(isName)) {
    throw new UsageError(`--set ${written}: write it as a.b=value`);
  }
  return { path, value: settingValue(written.slice(at + 1)), written };
}

/** Whether a setting may be called so: a draft's own names only, never its prototype's. */
const isName = (part: string): boolean => /^[A-Za-z][A-Za-z0-9]*$/.test(part) && !(part in Object.prototype);

/** The changes that an object of settings stands for: one each value that is no object of settings itself. */
function changesOf(settings: object, path: readonly string[] = []): SettingChange[] {
  return Object.entries(settings).flatMap(([name, value]: [string, unknown]): SettingChange[] => {
    if (value === undefined) return [];
    const own = [...path, name];
    if (!isName(name)) throw new UsageError(`setting ${own.join('.')}: no setting has such a name`);
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isNested ? changesOf(value, own) : [{ path: own, value, written: own.join('.') }];
  });
}

/** Changes given as an object of settings, or one by one. */
export function changesFrom(given: object | readonly SettingChange[]): readonly SettingChange[] {
  return Array.isArray(given) ? given : changesOf(given);
}

/** Settings of which any may be left as they are; lists are given whole. */
export type PartialSettings<Settings> = Settings extends readonly unknown[]
  ? Settings
  : Settings extends object
    ? { readonly [Name in keyof Settings]?: PartialSettings<Settings[Name]> | undefined }
    : Settings;

/**
 * Puts a change's value at its path of a draft; what lies between is made.
 *
 * @throws UsageError where something on the way is a plain value
 */
export function applyChange(draft: object, { path, value, written }: SettingChange): void {
  let target = draft as Record<string, unknown>;
  for (const part of path.slice(0, -1)) {
    const inner = target[part] ?? {};
    if (typeof inner !== 'object')
      throw new UsageError(`--set ${written}: ${part} has no settings of its own`);
    target[part] = inner;
    target = inner as Record<string, unknown>;
  }
  target[path.at(-1) ?? ''] = value;
}

function settingValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.includes(',') ? text.split(',').map((part) => settingValue(part.trim())) : text;
  }
}
