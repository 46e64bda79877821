import { UsageError } from '../../ground/errors.ts';
import type { Architecture, Backbone } from './backbone.ts';
import { CONVNEXT } from './convnext.ts';
import { DINOV2 } from './dinov2.ts';
import { DINOV3 } from './dinov3.ts';
import { EFFICIENTNET } from './efficientnet.ts';
import { EFFICIENTNETV2 } from './efficientnetv2.ts';
import { SIGLIP } from './siglip.ts';
import { SWINV2 } from './swinv2.ts';

const ARCHITECTURES: readonly Architecture[] = [
  DINOV2,
  DINOV3,
  SIGLIP,
  CONVNEXT,
  SWINV2,
  EFFICIENTNET,
  EFFICIENTNETV2,
];

/** Names of all architectures. */
export const ARCHITECTURE_NAMES: readonly string[] = ARCHITECTURES.map(({ arch }) => arch);

/**
 * A backbone from the name of its architecture and its configuration, which is checked.
 *
 * @throws UsageError for an unknown architecture, or a configuration that does not suit it
 */
export function makeBackbone(arch: string, config: unknown): Backbone {
  const found = ARCHITECTURES.find((architecture) => architecture.arch === arch);
  if (found === undefined) {
    throw new UsageError(`unknown architecture "${arch}"; choose one of ${ARCHITECTURE_NAMES.join(', ')}`);
  }
  return found.make(config);
}
