import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { heldOutPhotos } from '../../../src/workflows/pretrain/holdout.ts';
import type { PretrainingPhotos } from '../../../src/workflows/pretrain/pretrain-photos.ts';

function classPhotos(counts: readonly number[]): PretrainingPhotos {
  const photos = counts.flatMap((count, classIndex) =>
    Array.from({ length: count }, (_, photo) => {
      const name = `${classIndex}/${photo}.png`;
      return { name, path: name, classIndex };
    }),
  );
  return { kind: 'classes', classes: counts.map(String), photos };
}

function measuredPhotos(groups: readonly (string | null)[]): PretrainingPhotos {
  const photos = groups.map((group, photo) => ({
    name: `${photo}`,
    path: `${photo}`,
    values: [photo],
    group,
  }));
  return { kind: 'columns', columns: ['grass'], photos, leftOut: { columns: [], photos: 0 } };
}

const heldOf = (photos: PretrainingPhotos, share: number, seed = 1): boolean[] =>
  heldOutPhotos(photos, share, randomStream(seed));

describe('held-out photos', () => {
  it('are the share of every class, at least one of two, never all', () => {
    const counts = [40, 10, 2, 1];
    const photos = classPhotos(counts);
    const held = heldOf(photos, 0.2);
    const byClass = counts.map(
      (_, own) =>
        held.filter(
          (isHeld, at) => isHeld && photos.kind === 'classes' && photos.photos[at]?.classIndex === own,
        ).length,
    );
    expect(byClass).toEqual([8, 2, 1, 0]);
  });

  it('are drawn by the seed', () => {
    const photos = classPhotos([20, 20]);
    expect(heldOf(photos, 0.3)).toEqual(heldOf(photos, 0.3));
    expect(heldOf(photos, 0.3)).not.toEqual(heldOf(photos, 0.3, 2));
  });

  it('leave no group in both parts', () => {
    const groups = Array.from({ length: 60 }, (_, photo) => `visit ${photo % 10}`);
    const held = heldOf(measuredPhotos(groups), 0.25);
    const [inside, outside] = [true, false].map(
      (side) => new Set(groups.filter((_, photo) => held[photo] === side)),
    );
    expect(inside?.size).toBe(2);
    expect([...(inside ?? [])].filter((group) => outside?.has(group))).toEqual([]);
  });

  it('are a share of photos without groups, and none where none are wanted', () => {
    const alone = measuredPhotos(Array.from({ length: 50 }, () => null));
    expect(heldOf(alone, 0.1).filter(Boolean)).toHaveLength(5);
    expect(heldOf(alone, 0)).not.toContain(true);
  });

  it('are asked for in vain of one group, or of classes with one photo each', () => {
    expect(() => heldOf(measuredPhotos(['visit 1', 'visit 1']), 0.5)).toThrow(/one group.*holdout\.share=0/);
    expect(() => heldOf(classPhotos([1, 1]), 0.5)).toThrow(/every class has one photo.*holdout\.share=0/);
  });
});
