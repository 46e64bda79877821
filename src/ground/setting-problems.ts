import type { z } from 'zod';
import { nearestTo, type Setting, settingsOf } from './setting-list.ts';

/**
 * What is wrong with settings, in one line: a name that no setting has with the one that may have been meant, a value
 * that does not fit with those that do.
 *
 * @param draft what was parsed
 * @param further settings beside those of the schema that may be written too
 * @param advice what to do where nothing that is written alike is known
 */
export function settingProblems(
  { issues }: z.ZodError,
  schema: z.ZodType,
  draft: unknown,
  { further = [], advice }: { readonly further?: readonly Setting[]; readonly advice: string },
): string {
  const settings = [...further, ...settingsOf(schema)];
  const problems = issues.flatMap((issue) => {
    const place = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownSetting(settings, draft, [...place, key], advice));
    }
    const name = place.join('.') || 'recipe';
    const known = settings.find((setting) => setting.path === generic(place) && holds(setting, draft, place));
    const isVague = /^Invalid (input|discriminator)/.test(issue.message) && known !== undefined;
    return [`${name}: ${isVague ? `give ${known.values}` : issue.message}`];
  });
  return problems.join('; ');
}

function unknownSetting(
  settings: readonly Setting[],
  draft: unknown,
  place: readonly string[],
  advice: string,
): string {
  const name = place.at(-1) as string;
  const [full, parent] = [place.join('.'), generic(place.slice(0, -1))];
  const own = settings.filter((setting) => holds(setting, draft, place));
  const beside = own.filter(({ path }) => parentOf(path) === parent);
  const near = nearestTo(
    name,
    beside.map(({ path }) => nameOf(path)),
  );
  const meant = (path: string): string => `${full} is no setting; did you mean ${path}?`;
  if (near !== undefined) return meant([...place.slice(0, -1), near].join('.'));
  const elsewhere = own.find(({ path }) => nameOf(path) === name);
  const kind = valueAt(draft, [...place.slice(0, -1), 'kind']);
  const owner = typeof kind === 'string' ? kind : parent || 'a recipe';
  if (elsewhere) {
    const [list] = elsewhere.path.split('[]') as [string];
    return list === elsewhere.path
      ? meant(elsewhere.path)
      : `${full} is no setting: ${owner} has no ${name}; its ${nameOf(list)} have: ${list}`;
  }
  const wanted = generic(place);
  const ofOthers = settings.filter(({ path }) => path === wanted || path.startsWith(`${wanted}.`));
  if (ofOthers.length > 0) {
    const depth = Math.min(...ofOthers.map(({ ofKinds }) => ofKinds.length)) - 1;
    const others = ofOthers.flatMap(({ ofKinds }) => ofKinds[depth] ?? []);
    const kinds = [...new Set(others.map((other) => other.kind))];
    const have = `${kinds.join(', ')} ${kinds.length > 1 ? 'have' : 'has'} it`;
    return `${full} is no setting: ${owner} has no ${name}; ${have} (${others[0]?.path}=${kinds[0]})`;
  }
  const alike = nearestTo(
    name,
    own.map(({ path }) => nameOf(path)),
  );
  const found = own.find(({ path }) => nameOf(path) === alike);
  return found ? meant(found.path) : `${full} is no setting; ${advice}`;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** A place as lists of settings have it: `estimator.members[].weight`. */
function generic(place: readonly string[]): string {
  return place.join('.').replaceAll(/\.\d+(?=\.|$)/g, '[]');
}

/** Whether what a setting lies in is of the kind that has it; within lists, of the place's own items. */
function holds({ ofKinds }: Setting, draft: unknown, place: readonly string[]): boolean {
  return ofKinds.every(({ path, kind }) => {
    const parts = path
      .split('.')
      .flatMap((part) => (part.endsWith('[]') ? [part.slice(0, -2), '[]'] : [part]));
    const own = parts.map((part, index) => (part === '[]' ? (place[index] ?? '0') : part));
    const found = valueAt(draft, own);
    return found === undefined ? path.includes('[]') : found === kind;
  });
}

function valueAt(draft: unknown, place: readonly string[]): unknown {
  return place.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    draft,
  );
}
