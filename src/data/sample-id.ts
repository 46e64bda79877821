import type { TargetName } from '../pasture/targets.ts';

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
