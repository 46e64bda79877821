import { isDeepStrictEqual } from 'node:util';
import { packageVersion } from '../../ground/version.ts';
import { exactJson, parseExactJson, type UnitSpec, type Work } from '../units/spec.ts';

/** What people call the parts that all units of a job share. */
const PARTS: Readonly<Record<string, string>> = {
  source: 'where the data lie',
  recipe: 'the recipe',
  plan: 'its settings',
  weights: 'the weights',
};

/**
 * Says what has changed since work was planned, of which another job has come.
 *
 * @param before a unit as it was planned
 * @param after a unit of the same command now
 * @param files names files that are not as they were planned; null: none
 */
export function changedWork(before: UnitSpec | null, after: Work, files: string | null): string {
  const [planned, now] = [before?.work, parseExactJson(exactJson(after))] as Readonly<
    Record<string, unknown>
  >[];
  const isSame = (part: string): boolean => isDeepStrictEqual(planned?.[part], now?.[part]);
  const changed = before
    ? Object.keys(PARTS)
        .filter((part) => !isSame(part))
        .map((part) => PARTS[part])
    : [];
  if (before && before.sward !== packageVersion())
    changed.push(`sward, from ${before.sward} to ${packageVersion()}`);
  if (files !== null) changed.push(files);
  if (changed.length > 0) return changed.join('; ');
  if (after.kind === 'train') return 'the data or the weights';
  return isSame('fingerprint') ? 'the ids of the photos, or what was measured beside them' : 'the run';
}
