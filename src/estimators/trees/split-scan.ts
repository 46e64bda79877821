import {
  abovePairs,
  absolutePairs,
  addDoubles,
  addPairs,
  asDouble,
  atLeastPairs,
  belowPairs,
  bitsOf,
  bothBits,
  type Code,
  constant,
  dividePairs,
  double,
  eitherBits,
  equalPairs,
  type FunctionDefinition,
  firstOfPair,
  hasBits,
  isAboveDouble,
  isAtLeast,
  isBelow,
  isZero,
  largerPairs,
  loadDouble,
  loadRepeatedDouble,
  loadVector,
  mixBytes,
  multiplyDoubles,
  multiplyPairs,
  noVector,
  onlyFirstBits,
  pairOf,
  repeatedDouble,
  type Scope,
  secondOfPair,
  signsOfPair,
  storeDouble,
  subtract,
  subtractPairs,
  unequalPairs,
} from '../../ground/webassembly.ts';
import { FOUND, NODE } from './column-space.ts';
import { CELL_BYTES, COUNT_BYTES } from './histogram.ts';

/** Products below this may have lost digits to underflow. */
const SMALLEST_SAFE = 1e-280;
/** What rounding may change of a product of a few numbers, and much more. */
const ROUNDING = 1e-9;

const DOUBLE_BYTES = Float64Array.BYTES_PER_ELEMENT;
const FIRST = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const SECOND = [8, 9, 10, 11, 12, 13, 14, 15] as const;
/** Of another vector. */
const OTHER_FIRST = FIRST.map((byte) => 16 + byte);
const OTHER_SECOND = SECOND.map((byte) => 16 + byte);

const firsts = (one: Code, other: Code): Code => mixBytes(one, other, [...FIRST, ...OTHER_FIRST]);
const seconds = (one: Code, other: Code): Code => mixBytes(one, other, [...SECOND, ...OTHER_SECOND]);

/**
 * A function that looks for a bound of one numeric column whose gain (left + right − node) beats the best one found
 * so far, and writes it there. Of equal gains the lowest bound stays. Two bounds are looked at at a time.
 *
 * `cells` (and `counts`) are those of the column, of which the first `end` bins are candidates for the left side;
 * `missing` (and `missingCount`) is the cell of missing values where these go left, else 0. `node` and `found` are
 * laid out as {@link NODE} and {@link FOUND}; `only` is the only bound to try, −1: all.
 *
 * @param counted whether rows are counted beside sums; otherwise Hessians are all 1
 */
export const boundScanner = (counted: boolean): FunctionDefinition => ({
  name: 'scan',
  parameters: ['cells', 'counts', 'end', 'missing', 'missingCount', 'node', 'found', 'column', 'only'],
  locals: {
    bin: 'i32',
    signs: 'i32',
    best: 'f64',
    goal: 'vector',
    bins: 'vector',
    from: 'vector',
    to: 'vector',
    only2: 'vector',
    sums: 'vector',
    past: 'vector',
    count: 'vector',
    inBins: 'vector',
    full: 'vector',
    gradient: 'vector',
    hessian: 'vector',
    rows: 'vector',
    enough: 'vector',
    stop: 'vector',
    square: 'vector',
    otherSquare: 'vector',
    below: 'vector',
    above: 'vector',
    gain: 'vector',
    candidates: 'vector',
    ...Object.fromEntries(GIVEN.map((name) => [name, 'vector' as const])),
  },
  body: (scope) => {
    const { get, set, step, whileBelow, when } = scope;
    const end = (): Code => set('end', constant(0));
    const shrunk = (gradient: Code): Code =>
      largerPairs(noVector, subtractPairs(absolutePairs(gradient), get('lambdaL1')));
    const squared = (name: string): Code => multiplyPairs(get(name), get(name));
    return [
      ...GIVEN.map((name) => set(name, loadRepeatedDouble(get('node'), DOUBLE_BYTES * NODE[name]))),
      // Hessians of 1 add up to the number of rows.
      ...(counted ? [] : [set('leastHessian', largerPairs(get('leastHessian'), get('leastCount')))]),
      set('best', loadDouble(get('found'), DOUBLE_BYTES * FOUND.gain)),
      setGoal(scope),
      set('bins', pairOf(0, 1)),
      set('only2', repeatedDouble(asDouble(get('only')))),
      set('from', noVector),
      set('to', repeatedDouble(asDouble(subtract(get('end'), constant(1))))),
      when(isAtLeast(get('only'), constant(0)), [set('from', get('only2')), set('to', get('only2'))]),
      when(get('missing'), [
        set('sums', loadVector(get('missing'))),
        set('count', counted ? loadRepeatedDouble(get('missingCount')) : seconds(get('sums'), get('sums'))),
        when(isZero(hasBits(unequalPairs(get('count'), noVector))), [end()]),
      ]),
      whileBelow('bin', 'end', [
        set('past', loadVector(get('cells'), CELL_BYTES)),
        set('inBins', counted ? loadVector(get('counts')) : seconds(loadVector(get('cells')), get('past'))),
        // A bound above an empty bin parts the rows as the bound before did.
        set('full', eitherBits(unequalPairs(get('inBins'), noVector), equalPairs(get('bins'), get('only2')))),
        set(
          'gradient',
          addPairs(get('sums'), bothBits(loadVector(get('cells')), firsts(get('full'), get('full')))),
        ),
        set('sums', addPairs(get('gradient'), bothBits(get('past'), seconds(get('full'), get('full'))))),
        set('hessian', seconds(get('gradient'), get('sums'))),
        set('gradient', firsts(get('gradient'), get('sums'))),
        ...(counted
          ? [
              set(
                'rows',
                addPairs(
                  addPairs(get('count'), get('inBins')),
                  mixBytes(noVector, get('inBins'), [...FIRST, ...OTHER_FIRST]),
                ),
              ),
              set('count', seconds(get('rows'), get('rows'))),
            ]
          : []),
        set('enough', atLeastPairs(get('hessian'), get('leastHessian'))),
        set('above', subtractPairs(get('nodeHessian'), get('hessian'))),
        set('stop', belowPairs(get('above'), get('leastHessian'))),
        ...(counted
          ? [
              set('enough', bothBits(get('enough'), atLeastPairs(get('rows'), get('leastCount')))),
              set(
                'stop',
                eitherBits(
                  get('stop'),
                  belowPairs(subtractPairs(get('nodeCount'), get('rows')), get('leastCount')),
                ),
              ),
            ]
          : []),
        set('stop', bothBits(get('stop'), get('enough'))),
        set('below', addPairs(get('hessian'), get('lambdaL2'))),
        set('above', addPairs(get('above'), get('lambdaL2'))),
        set('otherSquare', shrunk(subtractPairs(get('nodeGradient'), get('gradient')))),
        set('square', shrunk(get('gradient'))),
        set('otherSquare', squared('otherSquare')),
        set('square', squared('square')),
        // Most bounds gain too little, which products tell in a fraction of the time that two divisions take.
        set('gain', multiplyPairs(multiplyPairs(get('goal'), get('below')), get('above'))),
        set(
          'candidates',
          onlyFirstBits(
            onlyFirstBits(
              bothBits(
                get('enough'),
                bothBits(atLeastPairs(get('bins'), get('from')), atLeastPairs(get('to'), get('bins'))),
              ),
              get('stop'),
            ),
            bothBits(
              belowPairs(
                addPairs(
                  multiplyPairs(get('square'), get('above')),
                  multiplyPairs(get('otherSquare'), get('below')),
                ),
                get('gain'),
              ),
              abovePairs(get('gain'), repeatedDouble(double(SMALLEST_SAFE))),
            ),
          ),
        ),
        when(hasBits(eitherBits(get('candidates'), get('stop'))), [
          set(
            'gain',
            subtractPairs(
              addPairs(
                dividePairs(get('square'), get('below')),
                dividePairs(get('otherSquare'), get('above')),
              ),
              get('own'),
            ),
          ),
          set('signs', signsOfPair(get('candidates'))),
          when(bitsOf(get('signs'), constant(1)), [take(scope, 0, counted)]),
          // Rows of the other side only grow fewer.
          when(bitsOf(signsOfPair(get('stop')), constant(1)), [end()]),
          when(bitsOf(isBelow(get('bin'), get('end')), isAtLeast(get('signs'), constant(2))), [
            take(scope, 1, counted),
          ]),
          when(isAtLeast(signsOfPair(get('stop')), constant(2)), [end()]),
        ]),
        set('bins', addPairs(get('bins'), pairOf(2, 2))),
        step('cells', 2 * CELL_BYTES),
        step('counts', 2 * COUNT_BYTES),
        step('bin', 2),
      ]),
    ];
  },
});

const GIVEN = [
  'nodeGradient',
  'nodeHessian',
  'nodeCount',
  'own',
  'leastCount',
  'leastHessian',
  'lambdaL1',
  'lambdaL2',
] as const satisfies readonly (keyof typeof NODE)[];

/** What products have to reach for a bound to be worth two divisions. */
const setGoal = ({ get, set }: Scope): Code =>
  set(
    'goal',
    repeatedDouble(multiplyDoubles(addDoubles(get('best'), firstOfPair(get('own'))), double(1 - ROUNDING))),
  );

/** Makes one of the two bounds in work the best one if it is. */
function take(scope: Scope, lane: 0 | 1, counted: boolean): Code {
  const { get, set, when } = scope;
  const of = (name: string): Code => (lane === 0 ? firstOfPair : secondOfPair)(get(name));
  const tell = (place: number, value: Code): Code => storeDouble(get('found'), value, DOUBLE_BYTES * place);
  return when(isAboveDouble(of('gain'), get('best')), [
    set('best', of('gain')),
    setGoal(scope),
    tell(FOUND.gain, get('best')),
    tell(FOUND.column, asDouble(get('column'))),
    tell(FOUND.bin, of('bins')),
    tell(FOUND.missingLeft, asDouble(isZero(isZero(get('missing'))))),
    tell(FOUND.gradient, of('gradient')),
    tell(FOUND.hessian, of('hessian')),
    tell(FOUND.count, of(counted ? 'rows' : 'hessian')),
  ]);
}
