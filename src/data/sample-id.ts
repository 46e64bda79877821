import { isTargetName, TARGET_NAMES, type TargetName } from '../pasture/targets.ts';
import type { Complain } from './problems.ts';

const SEPARATOR = '__';

/** The competition's row id: `<image id>__<target>`. */
export function sampleId(imageId: string, target: TargetName): string {
  return `${imageId}${SEPARATOR}${target}`;
}

/** Splits a row id at its last double underscore; null when either part is empty. */
export function splitSampleId(text: string): { imageId: string; target: string } | null {
  const at = text.lastIndexOf(SEPARATOR);
  if (at <= 0 || at + SEPARATOR.length === text.length) return null;
  return { imageId: text.slice(0, at), target: text.slice(at + SEPARATOR.length) };
}

/** As {@link splitSampleId} for a row that is not among `seen` yet; null once `complain` was told what is wrong. */
export function newSampleId(
  text: string,
  seen: Set<string>,
  complain: Complain,
): { imageId: string; target: TargetName } | null {
  const id = splitSampleId(text);
  if (!id) {
    complain('malformed-id', `sample_id "${text}" is not <image id>__<target>`, 'correct the id');
  } else if (!isTargetName(id.target)) {
    complain('unknown-target', `unknown target ${id.target}`, `use one of ${TARGET_NAMES.join(', ')}`);
  } else if (seen.has(text)) {
    complain('duplicate-row', `gives ${text} a second time`, 'keep one of the rows');
  } else {
    seen.add(text);
    return { imageId: id.imageId, target: id.target };
  }
  return null;
}
