import { join } from 'node:path';
import { openSafetensors, readTensor, type SafetensorsDtype } from '../../formats/safetensors/index.ts';
import type { StoredArray } from '../../formats/tensors/dtypes.ts';
import { InputError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { readText } from '../../ground/whole-file.ts';
import { backboneParameters, makeBackbone } from '../backbones/index.ts';
import type { Configured } from './configure.ts';

const CHECKED = 'finite';

/** Bits of the exponent, all of which NaN and infinities have set, in the words that a type's elements end in. */
const EXPONENT: Readonly<Partial<Record<SafetensorsDtype, number>>> = {
  F64: 0x7ff00000,
  F32: 0x7f800000,
  F16: 0x7c00,
  BF16: 0x7f80,
};

/**
 * Makes sure that all numbers of a backbone's weights are finite. What was found so is remembered by content: reading
 * gigabytes at every start would take longer than starting does.
 *
 * @param path a safetensors file under timm's names
 * @param sha256 of the file it was made of
 * @param where what a message calls an element of a tensor
 * @throws InputError naming the first tensor that holds NaN or an infinity
 */
export async function requireFinite(
  path: string,
  { arch, config }: Pick<Configured, 'arch' | 'config'>,
  cacheFolder: string,
  sha256: string,
  where: (name: string, element: number) => string = (name) => `${path} tensor "${name}"`,
): Promise<void> {
  const file = await openSafetensors(path);
  const wanted = backboneParameters(makeBackbone(arch, config)).map(({ name }) => name);
  const names = wanted.filter((name) => file.tensors.has(name));
  const places = names.map((name) => file.tensors.get(name)?.byteOffset);
  const memory = join(cacheFolder, 'weights', CHECKED, valueFingerprint([sha256, names, places]));
  if ((await readText(memory).catch(() => '')) === CHECKED) return;
  for (const name of names) {
    const dtype = file.tensors.get(name)?.dtype;
    const element = dtype === undefined ? -1 : notFinite(dtype, await readTensor(file, name));
    if (element < 0) continue;
    throw new InputError(
      where(name, element),
      'holds numbers that are not finite (NaN or infinite)',
      'its training went wrong, or it was stored in too small a type: take an earlier or an intact file',
    );
  }
  await writeFileAtomically(memory, CHECKED);
}

/** The first element that is NaN or infinite; −1 where there is none. */
function notFinite(dtype: SafetensorsDtype, { buffer, byteOffset, byteLength }: StoredArray): number {
  const exponent = EXPONENT[dtype];
  if (exponent === undefined) return -1;
  const isHalf = exponent < 2 ** 16;
  const words = isHalf
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Int32Array(buffer, byteOffset, byteLength / 4);
  const step = dtype === 'F64' ? 2 : 1;
  for (let at = step - 1; at < words.length; at += step) {
    if (((words[at] as number) & exponent) === exponent) return (at - step + 1) / step;
  }
  return -1;
}
