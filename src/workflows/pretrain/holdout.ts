import { UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { PretrainingPhotos } from './pretrain-photos.ts';

/**
 * Which photos only validate. Of classes each gives its share, at least one photo of two or more; measured photos are
 * held out by whole groups where they have groups.
 *
 * @returns one a photo
 * @throws UsageError when nothing can be held out
 */
export function heldOutPhotos(photos: PretrainingPhotos, share: number, random: RandomStream): boolean[] {
  if (share === 0) return photos.photos.map(() => false);
  const held =
    photos.kind === 'classes'
      ? heldOutOfClasses(
          photos.photos.map(({ classIndex }) => classIndex),
          share,
          random,
        )
      : heldOutGroups(
          photos.photos.map(({ group, name }) => group ?? `photo ${name}`),
          share,
          random,
        );
  if (held.some((isHeld) => isHeld)) return held;
  throw new UsageError(
    photos.kind === 'classes'
      ? 'every class has one photo, so that none can be held out; add photos, or set holdout.share=0'
      : 'all photos are of one group, so that none can be held out; add groups, or set holdout.share=0',
  );
}

function heldOutOfClasses(classOf: readonly number[], share: number, random: RandomStream): boolean[] {
  const members = new Map<number, number[]>();
  for (const [photo, classIndex] of classOf.entries()) {
    const known = members.get(classIndex);
    if (known) known.push(photo);
    else members.set(classIndex, [photo]);
  }
  const held = classOf.map(() => false);
  for (const [classIndex, photos] of members) {
    const count = Math.min(photos.length - 1, Math.max(1, Math.round(share * photos.length)));
    for (const photo of random.fork(`class ${classIndex}`).shuffled(photos).slice(0, count))
      held[photo] = true;
  }
  return held;
}

/** Groups in a drawn order are held out as long as they keep within the share, but at least one and never all. */
function heldOutGroups(groups: readonly string[], share: number, random: RandomStream): boolean[] {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const drawn = random.fork('groups').shuffled([...sizes.keys()].sort());
  const held = new Set<string>();
  let count = 0;
  for (const group of drawn.slice(0, -1)) {
    const size = sizes.get(group) as number;
    if (held.size > 0 && count + size > share * groups.length) continue;
    held.add(group);
    count += size;
  }
  return groups.map((group) => held.has(group));
}
