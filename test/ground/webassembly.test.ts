import { describe, expect, it } from 'vitest';
import {
  add,
  addDoubles,
  addPairs,
  constant,
  type FunctionDefinition,
  loadByte,
  loadDouble,
  loadInteger,
  loadPair,
  loadShort,
  moduleOf,
  noPair,
  one,
  shiftLeft,
  storeDouble,
  storePair,
  subtractPairs,
  zero,
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
  const { exports } = new WebAssembly.Instance(module, { outside: { memory } });
  return { memory, run: exports.run as (a: number, b: number) => void };
}

describe('a WebAssembly module', () => {
  it.each([false, true])('runs loops over doubles; shared memory: %s', (shared) => {
    const { memory, run: sum } = run(
      ({ get, set, step, whileBelow }) => [
        set('sum', zero),
        whileBelow('a', 'b', [
          set('sum', addDoubles(get('sum'), addDoubles(loadDouble(get('a')), one))),
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
      storePair(constant(32), addPairs(loadPair(get('a')), loadPair(get('b')))),
      storePair(constant(48), subtractPairs(loadPair(get('a')), loadPair(get('b')))),
      storePair(get('a'), noPair),
    ]);
    const numbers = new Float64Array(memory.buffer);
    numbers.set([1.5, 2, 10, 0.25]);
    both(0, 16);
    expect([...numbers.subarray(0, 8)]).toEqual([0, 0, 10, 0.25, 11.5, 2.25, -8.5, 1.75]);
  });

  it('reads bytes, shorts and integers, and takes constants of any size', () => {
    const { memory, run: copy } = run(({ get, set }) => [
      set('at', add(loadByte(get('a')), add(loadShort(get('a')), loadInteger(get('b'))))),
      storeDouble(add(constant(40_000), shiftLeft(get('at'), constant(3))), one),
    ]);
    new Uint8Array(memory.buffer).set([3, 1, 0, 0, 0, 0, 0, 0, 5]);
    copy(0, 8);
    expect(new Float64Array(memory.buffer)[5000 + 3 + 259 + 5]).toBe(1);
  });

  it('names a variable that a function does not have', () => {
    expect(() => run(({ get }) => [storeDouble(get('c'), one)])).toThrow(/no variable "c"/);
  });
});
