import { reshape, type Tensor, transpose } from '../../tensor/index.ts';
import type { TokenMap } from './backbone.ts';

/** `[batch, channels, height, width]` → `[batch, height, width, channels]`. */
export const channelsLast = (x: Tensor): Tensor => transpose(x, [0, 2, 3, 1]);

/** `[batch, height, width, channels]` → `[batch, channels, height, width]`. */
export const channelsFirst = (x: Tensor): Tensor => transpose(x, [0, 3, 1, 2]);

/** A map `[batch, height, width, dim]` as the tokens of its places; there is no prefix. */
export function tokensOfMap(map: Tensor): TokenMap {
  const [batch, height, width, dim] = map.shape as [number, number, number, number];
  return { patches: reshape(map, [batch, height * width, dim]), prefix: null, grid: [height, width] };
}

/** The number after `prefix` in a parameter's name: 3 of `stages.3.blocks.0.gamma` after `stages`. */
export function stageIn(name: string, prefix: string): number | undefined {
  const [first, second] = name.split('.');
  return first === prefix && second !== undefined ? Number(second) : undefined;
}
