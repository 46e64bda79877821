import { targetsFromComponents, targetsFromNestedMasses } from '../../pasture/physics.ts';
import { reconcile } from '../../pasture/reconcile.ts';
import { type Targets, targetsFromArray } from '../../pasture/targets.ts';
import type { ArchitectureSettings } from './settings.ts';

/**
 * Physical masses from a network's free ones: components are taken as they are and summed; of nested masses the
 * larger gives way, or the nearest physical masses are taken.
 *
 * @param masses `[photos, 5]` grams in the order of `TARGET_NAMES`
 */
export function physicalMasses(masses: Float32Array, architecture: ArchitectureSettings): Targets[] {
  return Array.from({ length: masses.length / 5 }, (_, photo) => {
    const free = targetsFromArray(masses, photo * 5);
    const { green, dead, clover, gdm, total } = free;
    if (architecture.kind !== 'tiled-dual') return targetsFromComponents({ green, dead, clover });
    if (architecture.physics === 'order') return targetsFromNestedMasses({ green, gdm, total });
    return reconcile({ ...free, dead: Math.max(0, dead), clover: Math.max(0, clover) });
  });
}
