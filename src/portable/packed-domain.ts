import type { Domain } from '../runs/domain/domain.ts';
import type { PortableDomain } from './model.ts';

/** How a record's numbers follow one another. */
type Layout = Pick<PortableDomain, 'columns' | 'weighted' | 'references' | 'support'>;

/** The numbers of a record: doubles little-endian (mean, scale, weights, reference), then the support in single precision. */
export function packDomain({ mean, scale, weights, reference, support }: Domain): {
  readonly layout: Layout;
  readonly bytes: Uint8Array;
} {
  const doubles = [mean, scale, weights ?? new Float64Array(), reference];
  const lists = [...doubles, Float32Array.from(support.data)];
  const bytes = new Uint8Array(lists.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const list of lists) {
    bytes.set(new Uint8Array(list.buffer, list.byteOffset, list.byteLength), at);
    at += list.byteLength;
  }
  return {
    layout: {
      columns: mean.length,
      weighted: weights !== null,
      references: reference.length,
      support: { rows: support.rows, columns: support.columns },
    },
    bytes,
  };
}

/** What {@link packDomain} packed. @param bytes its own buffer, from its start */
export function unpackDomain(
  { columns, weighted, references, support }: Layout,
  { buffer }: Uint8Array,
): Domain {
  let at = 0;
  const doubles = (length: number): Float64Array => {
    const list = new Float64Array(buffer, at, length);
    at += list.byteLength;
    return list;
  };
  const [mean, scale] = [doubles(columns), doubles(columns)];
  const weights = weighted ? doubles(columns) : null;
  const reference = doubles(references);
  const stored = new Float32Array(buffer, at, support.rows * support.columns);
  return { mean, scale, weights, reference, support: { ...support, data: Float64Array.from(stored) } };
}
