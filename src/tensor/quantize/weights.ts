import type { TensorData } from '../graph/values.ts';

/** Quantised parts of a weight, by name. */
export type QuantizedWeight = Readonly<Record<'values' | 'scales', TensorData>>;

/** Weights that share a scale in the 4-bit format. */
export const INT4_BLOCK = 32;

/**
 * Per-column int8: each output's weights are rounded to whole multiples of its largest one / 127.
 *
 * @param weight `[out, in]` row-major
 * @returns `values` int8 `[in, out]`, from −127 to 127; `scales` float32 `[out]`
 */
export function quantizeInt8(weight: ArrayLike<number>, out: number, width: number): QuantizedWeight {
  const values = new Int8Array(out * width);
  const scales = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    let peak = 0;
    for (let i = row * width; i < (row + 1) * width; i++)
      peak = Math.max(peak, Math.abs(weight[i] as number));
    const scale = peak === 0 ? 1 : peak / 127;
    scales[row] = scale;
    for (let column = 0; column < width; column++) {
      values[column * out + row] = Math.round((weight[row * width + column] as number) / scale);
    }
  }
  return {
    values: { dtype: 'int8', shape: [width, out], values },
    scales: { dtype: 'float32', shape: [out], values: scales },
  };
}

/**
 * Block-wise 4-bit: of every 32 weights along the input, the one furthest from zero becomes −8 times the scale,
 * so that all 16 levels are used; two weights a byte, the earlier one in the low half.
 *
 * @param weight `[out, in]` row-major
 * @returns `values` uint8 `[out, blocks, 16]`, zero at 8; `scales` float32 `[out · blocks]`
 */
export function quantizeInt4(weight: ArrayLike<number>, out: number, width: number): QuantizedWeight {
  const blocks = Math.ceil(width / INT4_BLOCK);
  const half = INT4_BLOCK / 2;
  const values = new Uint8Array(out * blocks * half).fill(0x88);
  const scales = new Float32Array(out * blocks);
  for (let row = 0; row < out; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * width + block * INT4_BLOCK;
      const count = Math.min(INT4_BLOCK, width - block * INT4_BLOCK);
      let peak = 0;
      for (let i = 0; i < count; i++) {
        const value = weight[from + i] as number;
        if (Math.abs(value) > Math.abs(peak)) peak = value;
      }
      const scale = peak === 0 ? 1 : peak / -8;
      const index = row * blocks + block;
      scales[index] = scale;
      for (let i = 0; i < count; i++) {
        const level = Math.min(Math.round((weight[from + i] as number) / scale) + 8, 15);
        const at = index * half + (i >> 1);
        const byte = values[at] as number;
        values[at] = i % 2 === 0 ? (byte & 0xf0) | level : (byte & 0x0f) | (level << 4);
      }
    }
  }
  return {
    values: { dtype: 'uint8', shape: [out, blocks, half], values },
    scales: { dtype: 'float32', shape: [out * blocks], values: scales },
  };
}
