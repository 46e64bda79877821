import fc from 'fast-check';

/** Numbers that lengths, counts and offsets should not be. */
const LIES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** One change of a file's bytes. */
type Change =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'lie'; readonly at: number; readonly value: number; readonly littleEndian: boolean }
  | { readonly kind: 'lengthen'; readonly tail: Uint8Array }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'splice'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: 'number'; readonly at: number; readonly text: string };

/** Places are shares of the file, so that cases shrink to the same place of a shorter file. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('lie' as const),
    at: place,
    value: fc.constantFrom(...LIES),
    littleEndian: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('lengthen' as const),
    tail: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  fc.record({
    kind: fc.constantFrom('remove' as const, 'repeat' as const),
    at: place,
    length: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({
    kind: fc.constant('splice' as const),
    at: place,
    from: place,
    length: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    at: place,
    text: fc.constantFrom(
      '-1',
      '0',
      '1e308',
      '-1e308',
      '1e-320',
      '9007199254740993',
      '4294967296',
      'NaN',
      '',
    ),
  }),
);

/** A sound file with one to three changes: cut, lengthened, bits flipped, numbers replaced, parts moved about. */
export const damagedBytes = (sound: Buffer, other: Buffer = sound): fc.Arbitrary<Buffer> =>
  fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((bytes, one) => changed(bytes, one, other), sound));

function changed(bytes: Buffer, change: Change, other: Buffer): Buffer {
  if (change.kind === 'lengthen') return Buffer.concat([bytes, change.tail]);
  const at = Math.floor(change.at * bytes.length);
  if (change.kind === 'cut') return bytes.subarray(0, at);
  const copy = Buffer.from(bytes);
  if (change.kind === 'flip') {
    if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << change.bit);
    return copy;
  }
  if (change.kind === 'lie') {
    if (at + 4 > copy.length) return copy;
    if (change.littleEndian) copy.writeUInt32LE(change.value, at);
    else copy.writeUInt32BE(change.value, at);
    return copy;
  }
  if (change.kind === 'number') {
    const numbers = [...bytes.toString('latin1').matchAll(/-?\d[\d.e+-]*/g)];
    const number = numbers[Math.floor(change.at * numbers.length)];
    if (number === undefined) return bytes;
    const end = number.index + number[0].length;
    return Buffer.concat([bytes.subarray(0, number.index), Buffer.from(change.text), bytes.subarray(end)]);
  }
  const end = Math.min(bytes.length, at + change.length);
  if ('from' in change) {
    const from = Math.floor(change.from * other.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      other.subarray(from, from + change.length),
      bytes.subarray(at),
    ]);
  }
  return change.kind === 'remove'
    ? Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    : Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
}

/** Values that stand where something else is expected. */
const strange = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  9007199254740991,
  '',
  'x\u001b[2J\n',
  '__proto__',
  [],
  [null],
  [[]],
  {},
  { __proto__: null, length: 4294967296 },
);

/** A JSON file that is JSON still, with one to three values of others' kinds, gone, or there once more. */
export function damagedJson(sound: Buffer): fc.Arbitrary<Buffer> {
  return fc
    .array(fc.record({ at: place, value: strange, how: fc.constantFrom('replace', 'remove', 'add') }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => {
      const root: unknown[] = [JSON.parse(sound.toString())];
      for (const { at, value, how } of changes) {
        const places = holders(root);
        const [holder, key] = places[Math.floor(at * places.length)] ?? [root, '0'];
        if (how === 'remove' && Array.isArray(holder) && holder !== root) holder.splice(Number(key), 1);
        else if (how === 'remove' && holder !== root) Reflect.deleteProperty(holder, key);
        else if (how === 'add' && Array.isArray(holder) && holder !== root)
          holder.push(structuredClone(value));
        else Reflect.set(holder, key, structuredClone(value));
      }
      return Buffer.from(JSON.stringify(root[0]) ?? '');
    });
}

/** Every object and array below, with each of its keys. */
function holders(value: object): [object, string][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): [object, string][] => [
    [value, key],
    ...(typeof inner === 'object' && inner !== null ? holders(inner) : []),
  ]);
}
