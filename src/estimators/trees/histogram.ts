import {
  add,
  addDoubles,
  addPairs,
  constant,
  type FunctionDefinition,
  functionsOver,
  loadByte,
  loadDouble,
  loadInteger,
  loadShort,
  loadVector,
  moduleOf,
  noVector,
  one,
  shiftLeft,
  storeDouble,
  storeVector,
  subtractPairs,
  zero,
} from '../../ground/webassembly.ts';

/** First and second derivatives of the loss, one a row; `hessians` is null where all are 1. */
export interface Derivatives {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array | null;
}

/** Bytes of a cell of a histogram: the sum of its gradients, then that of its Hessians. */
export const CELL_BYTES = 16;
/** Bytes of a cell's number of rows, kept only where Hessians are not all 1. */
export const COUNT_BYTES = 8;

/** Loops over histograms in a training's memory; every argument but a number of cells is an address. */
export interface HistogramKernel {
  /**
   * Sums the rows listed from `rows` to `end` in the cells of one column, which held something else before.
   *
   * @param pairs gradients and Hessians, a pair a listed row
   * @param bins bins of the column, one a row of the data
   * @param cells the column's first cell
   * @param past where the next column's cells begin
   */
  sumRows(rows: number, end: number, pairs: number, bins: number, cells: number, past: number): void;
  /** As {@link sumRows}, and counts the rows of each cell between `counts` and `countsPast`. */
  countRows(
    rows: number,
    end: number,
    pairs: number,
    bins: number,
    cells: number,
    past: number,
    counts: number,
    countsPast: number,
  ): void;
  /** Takes the pairs from `what` on away from those between `from` and `end`. */
  subtract(from: number, end: number, what: number): void;
}

const INTEGER_BYTES = 4;

/** Compiled once a thread, for every width of bins and kind of memory. */
const modules = new Map<string, WebAssembly.Module>();

/** @param binBytes bytes of a bin's number, 1 or 2 */
export function histogramKernel(memory: WebAssembly.Memory, binBytes: number): HistogramKernel {
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const key = `${binBytes} ${shared}`;
  const module = modules.get(key) ?? new WebAssembly.Module(moduleOf(functions(binBytes), shared));
  modules.set(key, module);
  return functionsOver<HistogramKernel>(module, memory);
}

const functions = (binBytes: number): readonly FunctionDefinition[] => [
  rowSummer('sumRows', binBytes, false),
  rowSummer('countRows', binBytes, true),
  {
    name: 'subtract',
    parameters: ['from', 'end', 'what'],
    locals: {},
    body: ({ get, step, whileBelow }) => [
      whileBelow('from', 'end', [
        storeVector(get('from'), subtractPairs(loadVector(get('from')), loadVector(get('what')))),
        step('from', CELL_BYTES),
        step('what', CELL_BYTES),
      ]),
    ],
  },
];

function rowSummer(name: string, binBytes: number, counts: boolean): FunctionDefinition {
  return {
    name,
    parameters: [
      'rows',
      'end',
      'pairs',
      'bins',
      'cells',
      'past',
      ...(counts ? ['counts', 'countsPast'] : []),
    ],
    locals: { bin: 'i32', cell: 'i32', count: 'i32' },
    body: ({ get, set, step, whileBelow }) => {
      const row = loadInteger(get('rows'));
      const bin =
        binBytes === 1
          ? loadByte(add(get('bins'), row))
          : loadShort(add(get('bins'), shiftLeft(row, constant(1))));
      return [
        set('cell', get('cells')),
        whileBelow('cell', 'past', [storeVector(get('cell'), noVector), step('cell', CELL_BYTES)]),
        ...(counts
          ? [
              set('count', get('counts')),
              whileBelow('count', 'countsPast', [
                storeDouble(get('count'), zero),
                step('count', COUNT_BYTES),
              ]),
            ]
          : []),
        whileBelow('rows', 'end', [
          set('bin', bin),
          set('cell', add(get('cells'), shiftLeft(get('bin'), constant(4)))),
          storeVector(get('cell'), addPairs(loadVector(get('cell')), loadVector(get('pairs')))),
          ...(counts
            ? [
                set('count', add(get('counts'), shiftLeft(get('bin'), constant(3)))),
                storeDouble(get('count'), addDoubles(loadDouble(get('count')), one)),
              ]
            : []),
          step('rows', INTEGER_BYTES),
          step('pairs', CELL_BYTES),
        ]),
      ];
    },
  };
}
