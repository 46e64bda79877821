import { UsageError } from '../../ground/errors.ts';
import type { Architecture, Recognised, Shapes } from './architecture.ts';
import type { Backbone } from './backbone.ts';
import { CONVNEXT } from './convnext.ts';
import { DINOV2 } from './dinov2.ts';
import { DINOV3 } from './dinov3.ts';
import { EFFICIENTNET } from './efficientnet.ts';
import { EFFICIENTNETV2 } from './efficientnetv2.ts';
import { SIGLIP } from './siglip.ts';
import { SWINV2 } from './swinv2.ts';

/** Every architecture there is; a new one is a file beside this and a line here. */
export const ARCHITECTURES: readonly Architecture[] = [
  DINOV2,
  DINOV3,
  SIGLIP,
  CONVNEXT,
  SWINV2,
  EFFICIENTNETV2,
  EFFICIENTNET,
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

/**
 * Works out architecture and configuration from the names and shapes of tensors in timm's layout. What shapes
 * do not tell (heads, windows, TensorFlow's padding) is `open`.
 */
export function recogniseShapes(shapes: Shapes): (Recognised & { readonly arch: string }) | undefined {
  for (const { arch, recognise } of ARCHITECTURES) {
    const recognised = recognise(shapes);
    if (recognised) return { arch, ...recognised };
  }
  return undefined;
}
