import {
  add,
  bitsOf,
  bothBits,
  type Code,
  constant,
  double,
  type FunctionDefinition,
  functionsOver,
  isAtLeast,
  isZero,
  loadDouble,
  loadInteger,
  loadRepeatedDouble,
  loadVector,
  moduleOf,
  noVector,
  type Scope,
  secondTwice,
  shiftLeft,
  storeDouble,
  storeVector,
  subtract,
  subtractDoubles,
  subtractPairs,
  unequalPairs,
} from '../../ground/webassembly.ts';
import { COLUMN, FOUND, NODE, WANTED } from './column-space.ts';
import { CELL_BYTES, COUNT_BYTES, type HistogramShape, rowSummer, TOGETHER } from './histogram.ts';
import { boundScanner, type ScanShape } from './split-scan.ts';

const INTEGER_BYTES = 4;
const DOUBLE_BYTES = Float64Array.BYTES_PER_ELEMENT;

type KernelShape = HistogramShape & ScanShape;

/** What a thread does with columns, in a training's memory; every argument is an address. */
export interface ColumnKernel {
  /**
   * Sums the listed rows into the histogram `child` for the columns listed from `columns` to `end`, takes it away from
   * `parent` if that is not 0, and looks in both for the best bound.
   *
   * @param table see {@link COLUMN}
   * @param pairs gradients and Hessians, a pair a listed row
   * @param wanted what the child wants of each column; the other's is at `otherWanted`
   * @param nodes see {@link NODE}, the child's and the other's
   * @param found best bounds, see {@link FOUND}, of both
   */
  work(
    columns: number,
    end: number,
    table: number,
    rows: number,
    rowsEnd: number,
    pairs: number,
    child: number,
    childCounts: number,
    parent: number,
    parentCounts: number,
    wanted: number,
    otherWanted: number,
    nodes: number,
    found: number,
  ): void;
}

/** Compiled once a thread, for every shape of histograms and kind of memory. */
const modules = new Map<string, WebAssembly.Module>();

export function columnKernel(memory: WebAssembly.Memory, shape: KernelShape): ColumnKernel {
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const { binBytes, counted, shrunk, chosen } = shape;
  const key = [binBytes, counted, shrunk, chosen, shared].join();
  const module = modules.get(key) ?? new WebAssembly.Module(moduleOf(functions(shape), shared));
  modules.set(key, module);
  return functionsOver<ColumnKernel>(module, memory);
}

const functions = (shape: KernelShape): readonly FunctionDefinition[] => [
  worker(shape),
  rowSummer('sumOne', 1, shape),
  rowSummer('sumTogether', TOGETHER, shape),
  searcher,
  boundScanner(shape),
];

const worker = ({ counted, chosen }: KernelShape): FunctionDefinition => ({
  name: 'work',
  parameters: [
    'columns',
    'end',
    'table',
    'rows',
    'rowsEnd',
    'pairs',
    'child',
    'childCounts',
    'parent',
    'parentCounts',
    'wanted',
    'otherWanted',
    'nodes',
    'found',
  ],
  locals: {
    past: 'i32',
    each: 'i32',
    column: 'i32',
    entry: 'i32',
    cell: 'i32',
    cellsEnd: 'i32',
    what: 'i32',
    count: 'i32',
    rest: 'vector',
  },
  body: (scope) => {
    const { get, set, step, whileBelow, when, call } = scope;
    const { field, choose } = columnOf(scope);
    const within = (histogram: string, from: 'cells' | 'counts', steps: readonly Code[]): readonly Code[] => [
      set('cell', add(get(histogram), field(from))),
      set('cellsEnd', add(get(histogram), field(`${from}End`))),
      whileBelow('cell', 'cellsEnd', steps),
    ];
    const sum = (name: string, columns: number): Code =>
      call(
        name,
        ...[get('rows'), get('rowsEnd'), get('pairs')],
        ...Array.from({ length: columns }, (_, at) => [
          ...choose(loadInteger(get('columns'), INTEGER_BYTES * at)),
          ...field('bins'),
          ...add(get('child'), field('cells')),
          ...add(get('childCounts'), field('counts')),
        ]),
      );
    const search = (histogram: string, wanted: string, node: 0 | 1): Code =>
      call(
        'search',
        get('entry'),
        get('column'),
        add(get(histogram), field('cells')),
        add(get(`${histogram}Counts`), field('counts')),
        loadInteger(add(get(wanted), shiftLeft(get('column'), constant(Math.log2(INTEGER_BYTES))))),
        add(get('nodes'), constant(node * DOUBLE_BYTES * NODE.length)),
        add(get('found'), constant(node * DOUBLE_BYTES * FOUND.length)),
      );
    // What rounding has left in an empty bin is no sum of anything.
    const inBin = counted ? loadRepeatedDouble(get('count')) : secondTwice(get('rest'));
    const isFull = unequalPairs(inBin, noVector);
    const together = constant(INTEGER_BYTES * TOGETHER);
    const several = isAtLeast(subtract(get('end'), get('columns')), together);
    return [
      whileBelow('columns', 'end', [
        set('past', add(get('columns'), constant(INTEGER_BYTES))),
        when(several, [set('past', add(get('columns'), together))]),
        set('each', get('columns')),
        whileBelow('each', 'past', [
          choose(loadInteger(get('each'))),
          ...within('child', 'cells', [storeVector(get('cell'), noVector), step('cell', CELL_BYTES)]),
          ...(counted
            ? within('childCounts', 'counts', [
                storeDouble(get('cell'), double(0)),
                step('cell', COUNT_BYTES),
              ])
            : []),
          step('each', INTEGER_BYTES),
        ]),
        when(several, [sum('sumTogether', TOGETHER)]),
        when(isZero(several), [sum('sumOne', 1)]),
        whileBelow('columns', 'past', [
          choose(loadInteger(get('columns'))),
          when(get('parent'), [
            ...(counted
              ? [
                  set('what', add(get('childCounts'), field('counts'))),
                  ...within('parentCounts', 'counts', [
                    storeDouble(
                      get('cell'),
                      subtractDoubles(loadDouble(get('cell')), loadDouble(get('what'))),
                    ),
                    step('cell', COUNT_BYTES),
                    step('what', COUNT_BYTES),
                  ]),
                ]
              : []),
            set('what', add(get('child'), field('cells'))),
            set('count', add(get('parentCounts'), field('counts'))),
            ...within('parent', 'cells', [
              set('rest', subtractPairs(loadVector(get('cell')), loadVector(get('what')))),
              storeVector(get('cell'), chosen ? get('rest') : bothBits(get('rest'), isFull)),
              step('cell', CELL_BYTES),
              step('what', CELL_BYTES),
              step('count', COUNT_BYTES),
            ]),
            search('parent', 'otherWanted', 1),
          ]),
          search('child', 'wanted', 0),
          step('columns', INTEGER_BYTES),
        ]),
      ]),
    ];
  },
});

/** Looks for the best bound of a column in one node as far as the node wants it. */
const searcher: FunctionDefinition = {
  name: 'search',
  parameters: ['entry', 'column', 'cells', 'counts', 'wanted', 'node', 'found'],
  locals: { bounds: 'i32', missing: 'i32' },
  body: (scope) => {
    const { get, set, when, call } = scope;
    const { field } = columnOf(scope);
    const scan = (bins: Code, cell: Code, count: Code): Code =>
      call(
        'scan',
        ...[get('cells'), get('counts'), bins, cell, count],
        ...[get('node'), get('found'), get('column'), get('wanted')],
      );
    const after = (area: string, bytes: number): Code =>
      add(get(area), shiftLeft(add(get('bounds'), constant(1)), constant(Math.log2(bytes))));
    const isNumeric = isAtLeast(get('bounds'), constant(0));
    return [
      set('bounds', field('bounds')),
      set('missing', field('missing')),
      when(bitsOf(isNumeric, isAtLeast(get('wanted'), constant(WANTED.all))), [
        // With missing rows on the right, the last bin may stand alone against them.
        scan(add(get('bounds'), get('missing')), constant(0), constant(0)),
        when(get('missing'), [scan(get('bounds'), after('cells', CELL_BYTES), after('counts', COUNT_BYTES))]),
      ]),
    ];
  },
};

/** The entry of the table that tells of a column. */
function columnOf({ get, set }: Scope): {
  readonly field: (name: keyof typeof COLUMN) => Code;
  readonly choose: (column: Code) => Code;
} {
  const entryBits = Math.log2(INTEGER_BYTES * COLUMN.length);
  return {
    field: (name) => loadInteger(get('entry'), INTEGER_BYTES * COLUMN[name]),
    choose: (column) => [
      ...set('column', column),
      ...set('entry', add(get('table'), shiftLeft(get('column'), constant(entryBits)))),
    ],
  };
}
