import { describe, expect, it } from 'vitest';
import {
  absolutePairs,
  add,
  addDoubles,
  addIntegers,
  addPairs,
  asBytes,
  asDouble,
  asShorts,
  atLeastPairs,
  belowPairs,
  bothBits,
  constant,
  dividePairs,
  double,
  equalPairs,
  type FunctionDefinition,
  firstBytesAsShorts,
  firstsOf,
  functionsOver,
  isAboveDouble,
  isBelow,
  isZero,
  largerPairs,
  lastBytesAsShorts,
  loadByte,
  loadDouble,
  loadInteger,
  loadRepeated,
  loadShort,
  loadVector,
  mixBytes,
  moduleOf,
  multiplyPairs,
  noVector,
  onlyFirstBits,
  pairOf,
  pickBytes,
  repeated,
  secondsOf,
  secondTwice,
  shiftIntegersLeft,
  shiftIntegersRight,
  shiftLeft,
  storeDouble,
  storeFirstInteger,
  storeVector,
  subtractPairs,
  sumOfTwoProducts,
  unequalPairs,
} from '../../src/ground/webassembly.ts';

/** Instantiates one function of the parameters a and b over a page of memory. */
function run(body: FunctionDefinition['body'], shared = false) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  const definition = {
    name: 'run',
    parameters: ['a', 'b'],
    locals: { sum: 'f64', at: 'i32' },
    body,
  } as const;
  const module = new WebAssembly.Module(moduleOf([definition], shared));
  return { memory, ...functionsOver<{ run(a: number, b: number): void }>(module, memory) };
}

describe('a WebAssembly module', () => {
  it.each([false, true])('runs loops over doubles; shared memory: %s', (shared) => {
    const { memory, run: sum } = run(
      ({ get, set, step, whileBelow }) => [
        set('sum', double(0)),
        whileBelow('a', 'b', [
          set('sum', addDoubles(get('sum'), addDoubles(loadDouble(get('a')), double(1)))),
          step('a', 8),
        ]),
        storeDouble(constant(0), get('sum')),
      ],
      shared,
    );
    const numbers = new Float64Array(memory.buffer);
    numbers.set([7, 0.5, 1.25, -3, 100]);
    sum(8, 32);
    expect(numbers[0]).toBe(0.5 + 1.25 - 3 + 3);
    sum(32, 32);
    expect(numbers[0]).toBe(0);
  });

  it('adds and subtracts pairs of doubles', () => {
    const { memory, run: both } = run(({ get }) => [
      storeVector(constant(32), addPairs(loadVector(get('a')), loadVector(get('b')))),
      storeVector(constant(48), subtractPairs(loadVector(get('a')), loadVector(get('b')))),
      storeVector(get('a'), noVector),
    ]);
    const numbers = new Float64Array(memory.buffer);
    numbers.set([1.5, 2, 10, 0.25]);
    both(0, 16);
    expect([...numbers.subarray(0, 8)]).toEqual([0, 0, 10, 0.25, 11.5, 2.25, -8.5, 1.75]);
  });

  it('picks bytes of vectors, and reads bytes as shorts', () => {
    const { memory, run: pick } = run(({ get }) => [
      storeVector(constant(32), pickBytes(loadVector(get('a')), [2, 255, 0, 255, ...Array(12).fill(15)])),
      storeVector(
        constant(48),
        mixBytes(loadVector(get('a')), loadVector(get('b')), [0, 16, 1, 17, ...Array(12).fill(31)]),
      ),
      storeVector(constant(64), firstBytesAsShorts(loadVector(get('a')))),
      storeVector(constant(80), lastBytesAsShorts(loadVector(get('a')))),
      storeFirstInteger(constant(99), loadVector(get('a'))),
    ]);
    const bytes = new Uint8Array(memory.buffer);
    const first = Array.from({ length: 16 }, (_, at) => 240 + at);
    bytes.set([...first, ...first.map((byte) => byte - 100)]);
    pick(0, 16);
    expect([...bytes.subarray(32, 48)]).toEqual([242, 0, 240, 0, ...Array(12).fill(255)]);
    expect([...bytes.subarray(48, 64)]).toEqual([240, 140, 241, 141, ...Array(12).fill(155)]);
    expect([...new Uint16Array(memory.buffer, 64, 16)]).toEqual(first);
    expect([...bytes.subarray(98, 104)]).toEqual([0, 240, 241, 242, 243, 0]);
  });

  it('sums products of shorts, shifts integers and narrows them', () => {
    const { memory, run: sum } = run(({ get }) => {
      const sums = addIntegers(
        sumOfTwoProducts(loadVector(get('a')), loadRepeated(get('b'), 200)),
        repeated(constant(-5)),
      );
      const shorts = asShorts(sums, shiftIntegersLeft(sums, constant(4)));
      return [
        storeVector(constant(32), sums),
        storeVector(constant(48), shiftIntegersRight(sums, constant(1))),
        storeVector(constant(64), shorts),
        storeVector(constant(80), asBytes(shorts, noVector)),
      ];
    });
    const shorts = new Int16Array(memory.buffer);
    shorts.set([3, 4, -3, -4, 32_000, 5, 0, 0]);
    shorts.set([10, -7], (16 + 200) / 2);
    sum(0, 16);
    const sums = [3 * 10 - 4 * 7 - 5, -3 * 10 + 4 * 7 - 5, 320_000 - 35 - 5, -5];
    const integers = new Int32Array(memory.buffer);
    expect([...integers.subarray(8, 12)]).toEqual(sums);
    expect([...integers.subarray(12, 16)]).toEqual([-2, -4, 159_980, -3]);
    expect([...shorts.subarray(32, 40)]).toEqual([-3, -7, 32_767, -5, -48, -112, 32_767, -80]);
    expect([...new Uint8Array(memory.buffer, 80, 16)]).toEqual([
      0,
      0,
      255,
      0,
      0,
      0,
      255,
      ...Array(9).fill(0),
    ]);
  });

  it('reads bytes, shorts and integers, and takes constants of any size', () => {
    const { memory, run: copy } = run(({ get, set }) => [
      set('at', add(loadByte(get('a')), add(loadShort(get('a')), loadInteger(get('b'))))),
      storeDouble(add(constant(40_000), shiftLeft(get('at'), constant(3))), double(1)),
    ]);
    new Uint8Array(memory.buffer).set([3, 1, 0, 0, 0, 0, 0, 0, 5]);
    copy(0, 8);
    expect(new Float64Array(memory.buffer)[5000 + 3 + 259 + 5]).toBe(1);
  });

  it('compares pairs of doubles, and takes their halves', () => {
    const { memory, run: compare } = run(({ get }) => {
      const [a, b] = [loadVector(get('a')), loadVector(get('b'))];
      const results = [
        bothBits(belowPairs(a, b), pairOf(5, 6)),
        bothBits(atLeastPairs(a, b), pairOf(5, 6)),
        bothBits(onlyFirstBits(unequalPairs(a, noVector), equalPairs(a, a)), pairOf(5, 6)),
        multiplyPairs(absolutePairs(a), dividePairs(b, pairOf(2, 4))),
        largerPairs(a, b),
        firstsOf(a, b),
        secondsOf(a, b),
        secondTwice(b),
      ];
      return results.map((result, at) => storeVector(constant(32 + 16 * at), result));
    });
    const numbers = new Float64Array(memory.buffer);
    numbers.set([-3, 8, 1, 8]);
    compare(0, 16);
    const pairs = [
      [5, 0],
      [0, 6],
      [0, 0],
      [1.5, 16],
      [1, 8],
      [-3, 1],
      [8, 8],
      [8, 8],
    ];
    expect([...numbers.subarray(4, 20)]).toEqual(pairs.flat());
  });

  it('calls functions, leaves loops and takes branches', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const search: FunctionDefinition = {
      name: 'search',
      parameters: ['from', 'end', 'to'],
      locals: {},
      body: ({ get, step, whileBelow, leaveWhen, when }) => [
        whileBelow('from', 'end', [
          leaveWhen(isAboveDouble(loadDouble(get('from')), double(2))),
          step('from', 8),
        ]),
        when(isBelow(get('from'), get('end')), [storeDouble(get('to'), asDouble(get('from')))]),
        when(isZero(isBelow(get('from'), get('end'))), [storeDouble(get('to'), double(-1))]),
      ],
    };
    const twice: FunctionDefinition = {
      name: 'twice',
      parameters: [],
      locals: {},
      body: ({ call }) => [
        call('search', constant(0), constant(32), constant(64)),
        call('search', constant(0), constant(16), constant(72)),
      ],
    };
    const module = new WebAssembly.Module(moduleOf([twice, search], false));
    const numbers = new Float64Array(memory.buffer);
    numbers.set([2, 1, 2.5, 9]);
    functionsOver<{ twice(): void }>(module, memory).twice();
    expect([...numbers.subarray(8, 10)]).toEqual([16, -1]);
    expect(() => run(({ call }) => [call('other')])).toThrow(/no function "other"/);
  });

  it('names a variable that a function does not have', () => {
    expect(() => run(({ get }) => [storeDouble(get('c'), double(1))])).toThrow(/no variable "c"/);
  });
});
