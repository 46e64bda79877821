import type { Scope } from '../../tensor/index.ts';
import { density } from './density.ts';
import type { Features } from './features.ts';
import { filmDual } from './film-dual.ts';
import { type Heads, type MassUnit, massUnit } from './masses.ts';
import { mlpHead } from './mlp.ts';
import type { ArchitectureSettings, NetworkSettings } from './settings.ts';
import { standardisedFeatures } from './standardise-features.ts';
import { tiledDual } from './tiled-dual.ts';

/** What of a network's settings decides its heads. */
export type HeadSettings = Pick<NetworkSettings, 'architecture' | 'standardise' | 'clip' | 'unit'>;

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
