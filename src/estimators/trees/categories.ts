import { InputError } from '../../ground/errors.ts';

const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;
const MIX = 0x9ddfea08eb382d69n;
const TABLE = 0x4906ba494954cb65n;

/** The code of a category. @throws InputError when the value is no whole number from 0 up and not NaN */
export function categoryCode(value: number, column: number): number {
  if (Number.isNaN(value) || (Number.isInteger(value) && value >= 0 && value < 2 ** 31)) return value;
  throw new InputError(
    `column ${column + 1}`,
    `is categorical but holds ${value}`,
    'number its categories 0, 1, 2 … and leave NaN where it is not known',
  );
}

/** CatBoost's hash of a category given as a number, which it reads by its decimal text. @throws as {@link categoryCode} */
export function codeHash(value: number, column: number): number {
  const code = categoryCode(value, column);
  return categoryHash(Number.isNaN(code) ? 'nan' : String(code));
}

/**
 * CatBoost's hash of a category's text of 1 to 16 bytes: the lower 32 bits of CityHash64, version 1, as a signed
 * number.
 */
export function categoryHash(text: string): number {
  return Number(BigInt.asIntN(32, cityHash(new TextEncoder().encode(text))));
}

/** The key of a single category in CatBoost's tables of target statistics. */
export function tableKey(hash: number): string {
  return String(wrap(TABLE * wrap(TABLE * wrap(BigInt(hash)))));
}

function cityHash(bytes: Uint8Array): bigint {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const size = BigInt(length);
  if (length < 4) {
    const at = (index: number): bigint => BigInt(view.getUint8(index));
    const low = at(0) + (at(length >> 1) << 8n);
    const high = size + (at(length - 1) << 2n);
    return wrap(shiftMix(wrap(low * K2) ^ wrap(high * K3)) * K2);
  }
  if (length <= 8) {
    const first = BigInt(view.getUint32(0, true));
    return hashPair(size + (first << 3n), BigInt(view.getUint32(length - 4, true)));
  }
  const first = view.getBigUint64(0, true);
  const last = view.getBigUint64(length - 8, true);
  return hashPair(first, rotate(wrap(last + size), size)) ^ last;
}

function hashPair(low: bigint, high: bigint): bigint {
  const once = shiftMix(wrap((low ^ high) * MIX));
  return wrap(shiftMix(wrap((high ^ once) * MIX)) * MIX);
}

function shiftMix(value: bigint): bigint {
  return value ^ (value >> 47n);
}

function rotate(value: bigint, by: bigint): bigint {
  return (value >> by) | wrap(value << (64n - by));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
