import {
  absolutePairs,
  add,
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
  firstsOf,
  hasBits,
  isAboveDouble,
  isAtLeast,
  isBelow,
  isZero,
  largerPairs,
  loadDouble,
  loadRepeatedDouble,
  loadVector,
  multiplyDoubles,
  multiplyPairs,
  noVector,
  onlyFirstBits,
  pairOf,
  repeatedDouble,
  type Scope,
  secondOfPair,
  secondsOf,
  secondTwice,
  signsOfPair,
  storeDouble,
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

/** What may be left out of a search. */
export interface ScanShape {
  /** Whether rows are counted beside sums; otherwise Hessians are all 1. */
  readonly counted: boolean;
  /** Whether λ₁ is above 0. */
  readonly shrunk: boolean;
  /** Whether one bound of each column is tried instead of all. */
  readonly chosen: boolean;
}

/**
 * A function that looks for a bound of one numeric column whose gain (left + right − node) beats the best one found
 * so far, and writes it there. Of equal gains the lowest bound stays. Two bounds are looked at at a time. Empty bins
 * must be clean, which `column-kernel.ts` sees to, but where a bound is chosen.
 *
 * `cells` (and `counts`) are those of the column, of which the first `end` bins are candidates for the left side;
 * `missing` (and `missingCount`) is the cell of missing values where these go left, else 0. `node` and `found` are
 * laid out as {@link NODE} and {@link FOUND}; `only` is the bound that is chosen.
 */
export const boundScanner = ({ counted, shrunk, chosen }: ScanShape): FunctionDefinition => ({
  name: 'scan',
  parameters: ['cells', 'counts', 'end', 'missing', 'missingCount', 'node', 'found', 'column', 'only'],
  locals: {
    bin: 'i32',
    next: 'i32',
    best: 'f64',
    ...Object.fromEntries(VECTORS.map((name) => [name, 'vector' as const])),
  },
  body: (scope) => {
    const { get, set, step, whileBelow, leaveWhen, when } = scope;
    const squared = (gradient: Code): readonly Code[] => [
      set('square', gradient),
      ...(shrunk
        ? [set('square', largerPairs(noVector, subtractPairs(absolutePairs(get('square')), get('lambdaL1'))))]
        : []),
      set('square', multiplyPairs(get('square'), get('square'))),
    ];
    const inBins = (): Code =>
      counted
        ? loadVector(get('counts'))
        : secondsOf(loadVector(get('cells')), loadVector(get('cells'), CELL_BYTES));
    /** A cell's sums; of an empty one nothing, unless its bound is the chosen one. */
    const cell = (at: 0 | 1): Code => {
      const sums = loadVector(get('cells'), at * CELL_BYTES);
      return chosen ? bothBits(sums, (at === 0 ? firstsOf : secondsOf)(get('full'), get('full'))) : sums;
    };
    const bins = addPairs(repeatedDouble(asDouble(get('bin'))), pairOf(0, 1));
    const isEmpty = (count: Code): Code => isZero(hasBits(unequalPairs(count, noVector)));
    const go = (bins: number): readonly Code[] => [
      step('cells', bins * CELL_BYTES),
      step('counts', bins * COUNT_BYTES),
      step('bin', bins),
    ];
    return [
      ...GIVEN.map((name) => set(name, loadRepeatedDouble(get('node'), DOUBLE_BYTES * NODE[name]))),
      // Hessians of 1 add up to the number of rows.
      ...(counted ? [] : [set('leastHessian', largerPairs(get('leastHessian'), get('leastCount')))]),
      set('best', loadDouble(get('found'), DOUBLE_BYTES * FOUND.gain)),
      setGoal(scope),
      ...(chosen ? [set('wanted', repeatedDouble(asDouble(get('only'))))] : []),
      when(get('missing'), [
        set('sums', loadVector(get('missing'))),
        set('count', counted ? loadRepeatedDouble(get('missingCount')) : secondTwice(get('sums'))),
        when(isEmpty(get('count')), [set('end', constant(0))]),
        // Missing rows alone have been tried: on the right.
        ...(chosen
          ? []
          : [
              set('next', get('end')),
              whileBelow('bin', 'next', [
                set('next', constant(0)),
                set(
                  'inBin',
                  counted ? loadRepeatedDouble(get('counts')) : secondTwice(loadVector(get('cells'))),
                ),
                when(isEmpty(get('inBin')), [set('next', get('end')), ...go(1)]),
              ]),
            ]),
      ]),
      whileBelow('bin', 'end', [
        // What is seldom done stands outside of the loop, which then has its variables in registers.
        whileBelow('bin', 'end', [
          // A bound above an empty bin parts the rows as the bound before did.
          ...(chosen
            ? [set('full', eitherBits(unequalPairs(inBins(), noVector), equalPairs(bins, get('wanted'))))]
            : []),
          set('gradient', addPairs(get('sums'), cell(0))),
          set('sums', addPairs(get('gradient'), cell(1))),
          set('hessian', secondsOf(get('gradient'), get('sums'))),
          set('gradient', firstsOf(get('gradient'), get('sums'))),
          set('otherHessian', subtractPairs(get('nodeHessian'), get('hessian'))),
          set('enough', atLeastPairs(get('hessian'), get('leastHessian'))),
          set('short', belowPairs(get('otherHessian'), get('leastHessian'))),
          ...(counted
            ? [
                set('rows', addPairs(addPairs(get('count'), inBins()), firstsOf(noVector, inBins()))),
                set('count', secondTwice(get('rows'))),
                set('enough', bothBits(get('enough'), atLeastPairs(get('rows'), get('leastCount')))),
                set('otherRows', subtractPairs(get('nodeCount'), get('rows'))),
                set('short', eitherBits(get('short'), belowPairs(get('otherRows'), get('leastCount')))),
              ]
            : []),
          set('below', addPairs(get('hessian'), get('lambdaL2'))),
          set('above', addPairs(get('otherHessian'), get('lambdaL2'))),
          ...squared(subtractPairs(get('nodeGradient'), get('gradient'))),
          set('otherSquare', get('square')),
          ...squared(get('gradient')),
          // Most bounds gain too little, which products tell in a fraction of the time that two divisions take.
          set(
            'weak',
            belowPairs(
              addPairs(
                multiplyPairs(get('square'), get('above')),
                multiplyPairs(get('otherSquare'), get('below')),
              ),
              multiplyPairs(multiplyPairs(get('goal'), get('below')), get('above')),
            ),
          ),
          leaveWhen(hasBits(onlyFirstBits(get('enough'), onlyFirstBits(get('weak'), get('short'))))),
          ...go(2),
        ]),
        when(isBelow(get('bin'), get('end')), [
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
          set('short', bothBits(get('enough'), get('short'))),
          set('enough', onlyFirstBits(get('enough'), get('short'))),
          ...(chosen ? [set('enough', bothBits(get('enough'), equalPairs(bins, get('wanted'))))] : []),
          take(scope, 0, counted),
          // Rows of the other side only grow fewer.
          when(bitsOf(signsOfPair(get('short')), constant(1)), [set('end', get('bin'))]),
          // The last bin may have no other beside it.
          when(isBelow(add(get('bin'), constant(1)), get('end')), [take(scope, 1, counted)]),
          when(isAtLeast(signsOfPair(get('short')), constant(2)), [set('end', get('bin'))]),
        ]),
        ...go(2),
      ]),
    ];
  },
});

/** What is given of a node, each twice side by side. */
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

const VECTORS = [
  ...GIVEN,
  /** What products have to reach, and the bound chosen. */
  ...['goal', 'wanted'],
  /** Of the two bins in work, and of all before. */
  ...['inBin', 'full', 'sums', 'count'],
  /** Of both sides of the two bounds. */
  ...['gradient', 'hessian', 'rows', 'otherHessian', 'otherRows'],
  ...['below', 'above', 'square', 'otherSquare', 'gain'],
  /** Whether the left side has enough rows, the right one too few, and the gain is too little. */
  ...['enough', 'short', 'weak'],
];

/** What products have to reach for a bound to be worth two divisions; anything where they may lose digits. */
function setGoal({ get, set, when }: Scope): Code {
  const least = addDoubles(firstOfPair(get('leastHessian')), firstOfPair(get('lambdaL2')));
  const goal = multiplyDoubles(addDoubles(get('best'), firstOfPair(get('own'))), double(1 - ROUNDING));
  const smallest = multiplyDoubles(multiplyDoubles(firstOfPair(get('goal')), least), least);
  return [
    ...set('goal', repeatedDouble(goal)),
    ...when(isZero(isAboveDouble(smallest, double(SMALLEST_SAFE))), [
      set('goal', repeatedDouble(double(Number.NEGATIVE_INFINITY))),
    ]),
  ];
}

/** Makes one of the two bounds in work the best one if it is. */
function take(scope: Scope, lane: 0 | 1, counted: boolean): Code {
  const { get, set, when } = scope;
  const of = (name: string): Code => (lane === 0 ? firstOfPair : secondOfPair)(get(name));
  const tell = (place: number, value: Code): Code => storeDouble(get('found'), value, DOUBLE_BYTES * place);
  const mayBe = bitsOf(signsOfPair(get('enough')), constant(1 << lane));
  return when(mayBe, [
    when(isAboveDouble(of('gain'), get('best')), [
      set('best', of('gain')),
      setGoal(scope),
      tell(FOUND.gain, get('best')),
      tell(FOUND.column, asDouble(get('column'))),
      tell(FOUND.bin, asDouble(add(get('bin'), constant(lane)))),
      tell(FOUND.missingLeft, asDouble(isZero(isZero(get('missing'))))),
      tell(FOUND.gradient, of('gradient')),
      tell(FOUND.hessian, of('hessian')),
      tell(FOUND.count, of(counted ? 'rows' : 'hessian')),
    ]),
  ]);
}
