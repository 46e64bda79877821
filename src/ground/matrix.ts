/** A row-major matrix of doubles: `data[row * columns + column]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  /** The feature sets whose columns follow one another, where they are told apart. */
  readonly sets?: readonly FeatureSet[];
}

/** Neighbouring columns that were made together: the features of one backbone, the descriptors, one file. */
export interface FeatureSet {
  readonly name: string;
  readonly columns: number;
  /** The file they were read from, for messages. */
  readonly file?: string;
  /** Whether they were measured beside the photo, and not made of it. */
  readonly measured?: true;
}

/** The rows `indices` of a matrix, in that order. */
export function takeRows(matrix: Matrix, indices: readonly number[]): Matrix {
  const { columns } = matrix;
  const data = new Float64Array(indices.length * columns);
  indices.forEach((source, row) => {
    data.set(matrix.data.subarray(source * columns, (source + 1) * columns), row * columns);
  });
  return { rows: indices.length, columns, data, ...(matrix.sets && { sets: matrix.sets }) };
}

/** The columns `indices` of a matrix, in that order. */
export function takeColumns(matrix: Matrix, indices: readonly number[]): Matrix {
  const data = new Float64Array(matrix.rows * indices.length);
  for (let row = 0; row < matrix.rows; row++) {
    indices.forEach((source, column) => {
      data[row * indices.length + column] = matrix.data[row * matrix.columns + source] as number;
    });
  }
  return { rows: matrix.rows, columns: indices.length, data };
}

/** The columns `indices` of a matrix, in that order, with the sets that they are of: neighbours of one set are one. */
export function takeSetColumns(matrix: Matrix, indices: readonly number[]): Matrix {
  const all = featureSetsOf(matrix);
  const sets: { set: FeatureSet; columns: number }[] = [];
  for (const column of indices) {
    const found = all.find(({ start, columns }) => column >= start && column < start + columns);
    if (!found) throw new RangeError(`there is no column ${column} of ${matrix.columns}`);
    const { start: _, ...set } = found;
    const last = sets.at(-1);
    if (last?.set.name === set.name) last.columns++;
    else sets.push({ set, columns: 1 });
  }
  return {
    ...takeColumns(matrix, indices),
    sets: sets.map(({ set, columns }) => ({ ...set, columns })),
  };
}

/** A feature set with its values, one row a photo. */
export interface NamedMatrix {
  readonly name: string;
  readonly matrix: Matrix;
  readonly file?: string | undefined;
}

/**
 * Feature sets of the same photos side by side, each remembered by name. Of sets with the same name the second
 * is called `name-2`, and so on.
 *
 * @throws RangeError when there is none or they have different numbers of rows
 */
export function joinFeatureSets(parts: readonly NamedMatrix[]): Matrix {
  const [first] = parts;
  if (!first) throw new RangeError('no feature set to join');
  const { rows } = first.matrix;
  const sets = uniquelyNamed(parts);
  const columns = sets.reduce((sum, set) => sum + set.columns, 0);
  const data = new Float64Array(rows * columns);
  let start = 0;
  for (const { name, matrix } of parts) {
    if (matrix.rows !== rows) throw new RangeError(`${name} has ${matrix.rows} rows, not ${rows}`);
    for (let row = 0; row < rows; row++) {
      const values = matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns);
      data.set(values, row * columns + start);
    }
    start += matrix.columns;
  }
  return { rows, columns, data, sets };
}

function uniquelyNamed(parts: readonly NamedMatrix[]): FeatureSet[] {
  const seen = new Map<string, number>();
  return parts.map(({ name, matrix, file }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name}-${count}`, columns: matrix.columns, ...(file && { file }) };
  });
}

/** What the columns of a matrix without sets are called. */
export const ONLY_SET = 'features';

/** The feature sets of a matrix with the column each begins at; a matrix without sets is one ({@link ONLY_SET}). */
export function featureSetsOf({ sets, columns }: Matrix): (FeatureSet & { readonly start: number })[] {
  let start = 0;
  return (sets ?? [{ name: ONLY_SET, columns }]).map((set) => {
    const placed = { ...set, start };
    start += set.columns;
    return placed;
  });
}

/** A vector as a matrix of one row. */
export function rowVector(data: Float64Array): Matrix {
  return { rows: 1, columns: data.length, data };
}
