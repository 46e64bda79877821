/** A growing table of numbers with `stride` numbers a row, so that a hundred thousand rows cost no objects. */
export interface NumberStore {
  readonly stride: number;
  values: Float32Array;
  count: number;
}

export function numberStore(stride: number, capacity = 1024): NumberStore {
  return { stride, values: new Float32Array(stride * capacity), count: 0 };
}

/** Makes room for one more row. @returns the offset of that row in `values` (read `values` after the call) */
export function appendRow(store: NumberStore): number {
  const offset = store.count * store.stride;
  if (offset + store.stride > store.values.length) {
    const larger = new Float32Array(store.values.length * 2);
    larger.set(store.values);
    store.values = larger;
  }
  store.count++;
  return offset;
}
