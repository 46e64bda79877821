import {
  add,
  addDoubles,
  addPairs,
  constant,
  double,
  type FunctionDefinition,
  loadByte,
  loadDouble,
  loadInteger,
  loadShort,
  loadVector,
  shiftLeft,
  storeDouble,
  storeVector,
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

const INTEGER_BYTES = 4;

/** Columns whose histograms are summed in one pass over the rows. */
export const TOGETHER = 4;

/** How histograms of a training are laid out. */
export interface HistogramShape {
  /** Bytes of a bin's number, 1 or 2. */
  readonly binBytes: number;
  /** Whether rows are counted beside sums. */
  readonly counted: boolean;
}

/**
 * A function that sums the rows listed from `rows` to `end` in the cells of some columns, which must be empty. `pairs`
 * are gradients and Hessians, a pair a listed row; then come for every column the address of its bins, one a row of
 * the data, of its first cell and of its first count.
 */
export function rowSummer(
  name: string,
  columns: number,
  { binBytes, counted }: HistogramShape,
): FunctionDefinition {
  const each = Array.from({ length: columns }, (_, at) => at);
  const loadBin = binBytes === 1 ? loadByte : loadShort;
  return {
    name,
    parameters: ['rows', 'end', 'pairs', ...each.flatMap((at) => [`bins${at}`, `cells${at}`, `counts${at}`])],
    locals: { place: 'i32', bin: 'i32', cell: 'i32', pair: 'vector' },
    body: ({ get, set, step, whileBelow }) => [
      whileBelow('rows', 'end', [
        set('place', shiftLeft(loadInteger(get('rows')), constant(binBytes - 1))),
        set('pair', loadVector(get('pairs'))),
        ...each.flatMap((at) => [
          set('bin', loadBin(add(get(`bins${at}`), get('place')))),
          set('cell', add(get(`cells${at}`), shiftLeft(get('bin'), constant(Math.log2(CELL_BYTES))))),
          storeVector(get('cell'), addPairs(loadVector(get('cell')), get('pair'))),
          ...(counted
            ? [
                set('cell', add(get(`counts${at}`), shiftLeft(get('bin'), constant(Math.log2(COUNT_BYTES))))),
                storeDouble(get('cell'), addDoubles(loadDouble(get('cell')), double(1))),
              ]
            : []),
        ]),
        step('rows', INTEGER_BYTES),
        step('pairs', CELL_BYTES),
      ]),
    ],
  };
}
