import type { Tree } from './tree.ts';

type ArrayField = Exclude<keyof Tree, 'shrinkage'>;
type Arrays = Int32Array | Uint32Array | Uint8Array | Float64Array;

const KINDS = {
  splitFeature: Int32Array,
  splitGain: Float64Array,
  threshold: Float64Array,
  decisionType: Uint8Array,
  leftChild: Int32Array,
  rightChild: Int32Array,
  leafValue: Float64Array,
  leafWeight: Float64Array,
  leafCount: Float64Array,
  internalValue: Float64Array,
  internalWeight: Float64Array,
  internalCount: Float64Array,
  catBoundaries: Int32Array,
  catThreshold: Uint32Array,
} as const satisfies Record<ArrayField, unknown>;

const FIELDS = Object.keys(KINDS) as ArrayField[];

/**
 * Trees of a model with the arrays of all of them one after the other: a thread takes a hundred times as long to send
 * ten thousand small arrays.
 */
export interface PackedTrees {
  readonly arrays: Readonly<Record<ArrayField, Arrays>>;
  /** Where in them each tree's begin; the last entry is where they end. */
  readonly starts: Readonly<Record<ArrayField, Int32Array>>;
  readonly shrinkage: Float64Array;
}

export function packTrees(trees: readonly Tree[]): PackedTrees {
  const arrays: Partial<Record<ArrayField, Arrays>> = {};
  const starts: Partial<Record<ArrayField, Int32Array>> = {};
  for (const field of FIELDS) {
    const places = new Int32Array(trees.length + 1);
    trees.forEach((tree, index) => {
      places[index + 1] = (places[index] as number) + tree[field].length;
    });
    const all = new KINDS[field](places[trees.length] as number);
    trees.forEach((tree, index) => {
      all.set(tree[field], places[index]);
    });
    arrays[field] = all;
    starts[field] = places;
  }
  return {
    arrays: arrays as PackedTrees['arrays'],
    starts: starts as PackedTrees['starts'],
    shrinkage: Float64Array.from(trees, ({ shrinkage }) => shrinkage),
  };
}

/** The trees that were packed; their arrays share memory. */
export function unpackTrees({ arrays, starts, shrinkage }: PackedTrees): Tree[] {
  return Array.from(shrinkage, (factor, index) => {
    const part = <Field extends ArrayField>(field: Field): Tree[Field] =>
      arrays[field].subarray(starts[field][index], starts[field][index + 1]) as Tree[Field];
    return {
      splitFeature: part('splitFeature'),
      splitGain: part('splitGain'),
      threshold: part('threshold'),
      decisionType: part('decisionType'),
      leftChild: part('leftChild'),
      rightChild: part('rightChild'),
      leafValue: part('leafValue'),
      leafWeight: part('leafWeight'),
      leafCount: part('leafCount'),
      internalValue: part('internalValue'),
      internalWeight: part('internalWeight'),
      internalCount: part('internalCount'),
      catBoundaries: part('catBoundaries'),
      catThreshold: part('catThreshold'),
      shrinkage: factor,
    };
  });
}
