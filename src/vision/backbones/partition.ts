import { UsageError } from '../../ground/errors.ts';
import type { Backbone } from './backbone.ts';

/** `blockOf` of a transformer under timm's names, of `depth` blocks. */
export const transformerBlockOf =
  (depth: number) =>
  (name: string): number => {
    const block = /^blocks\.(\d+)\./.exec(name)?.[1];
    if (block !== undefined) return Number(block);
    return /^(patch_embed\.|pos_embed$|cls_token$|reg_token$)/.test(name) ? -1 : depth;
  };

/**
 * Which parameters train when only the last blocks do: those of the last `count` blocks and of everything
 * after them (final norm, pooling head). For a scope's `trainable`; 0 trains only what comes after.
 *
 * @throws UsageError when there are not that many blocks
 */
export function lastBlocks({ arch, depth, blockOf }: Backbone, count: number): (name: string) => boolean {
  if (!Number.isInteger(count) || count < 0 || count > depth) {
    throw new UsageError(`${arch} has ${depth} blocks; ${count} of them cannot be trained`);
  }
  return (name) => blockOf(name) >= depth - count;
}

/**
 * The layer of a parameter for layer-wise rate decay, of `depth + 1` layers: 0 for the stem, k + 1 for block k,
 * and `depth + 1` for what comes after.
 */
export const layerOf =
  ({ blockOf }: Backbone) =>
  (name: string): number =>
    blockOf(name) + 1;
