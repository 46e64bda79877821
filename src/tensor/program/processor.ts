import { existsSync, readFileSync } from 'node:fs';
import type { TileSizes } from '../onnx/tiles.ts';

/** Where Linux says how large a core's second-level cache is, as `512K`. */
const SECOND_LEVEL_CACHE = '/sys/devices/system/cpu/cpu0/cache/index2/size';

/** Tensors of fewer tiles are not worth a loop: they stay in the processor's cache by themselves. */
const LEAST_TILES = 4;

/**
 * The tiles in which chains of elementwise operations are computed. Where a core's second-level cache holds what
 * a chain of short tiles has at hand, they are short; in a smaller one they would not fit, and longer ones that
 * stay in the third level cost fewer calls. Results are the same either way.
 *
 * @param size size of that cache as Linux writes it; one that is not known counts as large
 */
export function tileSizes(
  size: string = existsSync(SECOND_LEVEL_CACHE) ? readFileSync(SECOND_LEVEL_CACHE, 'utf8') : '',
): TileSizes {
  const [, number, unit] = /^(\d+)([KM])\s*$/.exec(size) ?? [];
  const kibibytes = number === undefined ? 1024 : Number(number) * (unit === 'M' ? 1024 : 1);
  const tile = kibibytes < 1024 ? 1 << 18 : 1 << 16;
  return { least: LEAST_TILES * tile, tile };
}

/** Where Linux says what a processor can do. */
const PROCESSOR = '/proc/cpuinfo';

/**
 * Whether sums of two products uint8·int8 can overflow 16 bits on this processor, as they do on x64 before VNNI
 * and AMX; where that is not known, they can. ONNX Runtime's exact way around takes 4 times as long.
 *
 * @param flags text that names the processor's abilities as Linux does
 */
export function int8ProductsOverflow(
  architecture: string = process.arch,
  flags: string = existsSync(PROCESSOR) ? readFileSync(PROCESSOR, 'utf8') : '',
): boolean {
  return architecture === 'x64' && !/\b(avx_vnni|avx512_vnni|amx_int8)\b/.test(flags);
}
