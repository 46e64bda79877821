import { massesFromComponents } from '../../estimators/masses/masses-graph.ts';
import { reconcileGraph } from '../../estimators/masses/reconcile-graph.ts';
import { targetsFromComponents, targetsFromNestedMasses } from '../../pasture/physics.ts';
import { reconcile } from '../../pasture/reconcile.ts';
import { type Targets, targetsFromArray } from '../../pasture/targets.ts';
import { cast, concat, maximum, slice, subtract, type Tensor } from '../../tensor/index.ts';
import type { ArchitectureSettings } from './heads.ts';

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

/** {@link physicalMasses} as a graph. @param masses `[photos, 5]` @returns `[photos, 5]` float64 */
export function physicalGraph(masses: Tensor, architecture: ArchitectureSettings): Tensor {
  const free = cast(masses, 'float64');
  const column = (at: number): Tensor => slice(free, { 1: [at, at + 1] });
  if (architecture.kind !== 'tiled-dual') return massesFromComponents(slice(free, { 1: [0, 3] }));
  if (architecture.physics === 'project') {
    const parts = [column(0), maximum(column(1), 0), maximum(column(2), 0), column(3), column(4)];
    return reconcileGraph(concat(parts, 1));
  }
  const green = maximum(column(0), 0);
  const greenMatter = maximum(green, column(3));
  const total = maximum(greenMatter, column(4));
  return massesFromComponents(concat([green, subtract(total, greenMatter), subtract(greenMatter, green)], 1));
}
