import { existsSync, readFileSync } from 'node:fs';

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
