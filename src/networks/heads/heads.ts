import { z } from 'zod';
import type { Scope } from '../../tensor/index.ts';
import { density, densitySettings } from './density.ts';
import { type Features, standardisedFeatures } from './features.ts';
import { filmDual, filmDualSettings } from './film-dual.ts';
import { type Heads, type MassUnit, massUnit } from './masses.ts';
import { mlpHead, mlpSettings } from './mlp.ts';
import { tiledDual, tiledDualSettings } from './tiled-dual.ts';

/** The architectures there are; each has a file of its own, and its heads below. */
export const architectureSettings = z.discriminatedUnion('kind', [
  mlpSettings,
  tiledDualSettings,
  filmDualSettings,
  densitySettings,
]);

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
  const inputs = settings.standardise ? standardisedFeatures(scope, features, settings.clip) : features;
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
