import { z } from 'zod';
import { massesFromComponents } from '../../estimators/masses/masses-graph.ts';
import { reconcileGraph } from '../../estimators/masses/reconcile-graph.ts';
import { targetsFromComponents, targetsFromNestedMasses } from '../../pasture/physics.ts';
import { reconcile } from '../../pasture/reconcile.ts';
import { type Targets, targetsFromArray } from '../../pasture/targets.ts';
import { cast, concat, maximum, type Scope, slice, subtract, type Tensor } from '../../tensor/index.ts';
import { withCovariateBranch } from './covariates.ts';
import { density, densitySettings } from './density.ts';
import { type Features, standardisedFeatures } from './features.ts';
import { filmDual, filmDualSettings } from './film-dual.ts';
import { type Heads, type MassUnit, massUnit } from './masses.ts';
import { mlpHead, mlpSettings } from './mlp.ts';
import { tiledDual, tiledDualSettings } from './tiled-dual.ts';

/** The architectures there are; each has a file of its own, and its heads below. */
export const architectureSettings = z
  .discriminatedUnion('kind', [mlpSettings, tiledDualSettings, filmDualSettings, densitySettings])
  .describe('heads over the features; each kind has settings of its own');

export type ArchitectureSettings = z.output<typeof architectureSettings>;

/** What of a network's settings decides its heads. */
export interface HeadSettings {
  readonly architecture: ArchitectureSettings;
  readonly standardise: boolean;
  readonly clip: number;
  readonly unit: 'gram' | 'mean';
}

/**
 * The heads of a network over features of photos, as a pure graph function: the same for features that are fed
 * and for those of a backbone in the same graph. Parameters come from `scope` under the names that checkpoints of
 * the architecture have. Dropout acts where the scope is one for training.
 *
 * @throws ShapeError when features do not suit the architecture
 */
export function heads(scope: Scope, features: Features, settings: HeadSettings): Heads {
  const own = settings.standardise ? standardisedFeatures(scope, features, settings.clip) : features;
  const inputs = withCovariateBranch(scope, own);
  return architectureHeads(scope, inputs, settings.architecture, massUnit(scope, settings.unit));
}

function architectureHeads(
  scope: Scope,
  features: Features,
  settings: ArchitectureSettings,
  unit: MassUnit,
): Heads {
  switch (settings.kind) {
    case 'mlp':
      return mlpHead(scope, features, settings, unit);
    case 'tiled-dual':
      return tiledDual(scope, features, settings, unit);
    case 'film-dual':
      return filmDual(scope, features, settings, unit);
    case 'density':
      return density(scope, features, settings, unit);
  }
}

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
