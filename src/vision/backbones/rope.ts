import { ShapeError } from '../../ground/errors.ts';
import { apply } from '../../tensor/graph/operator.ts';
import { constant, negate, type Operator, type Tensor } from '../../tensor/index.ts';
import type { Size } from './backbone.ts';

/** Turns the heads of `[batch, tokens, dim]` by every token's place. */
export type Rotation = (x: Tensor) => Tensor;

/** Base of the geometric series of periods (DINOv3's `rope_temperature`). */
const TEMPERATURE = 100;

/** Inputs: tokens, and the angles' cosines and sines `[tokens, head width / 2]`. */
const ROTATE: Operator<readonly [Tensor, Tensor, Tensor], undefined> = {
  name: 'rotate',
  outputs([x, cos]) {
    const [, tokens, dim] = x.shape;
    const [places = 0, half = 0] = cos.shape;
    if (x.shape.length !== 3 || tokens !== places || (dim ?? 0) % (2 * half) !== 0) {
      throw new ShapeError(`rotate: [${x.shape.join(', ')}] does not fit angles [${cos.shape.join(', ')}]`);
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // Rotates the first half of a head against the second, head after head, for tokens numbered from 0.
  emit: ({ node, indices }, [x, cos, sin]) => [
    node('RotaryEmbedding', [x, indices([0]), cos, sin], {}, 'com.microsoft'),
  ],
  // A rotation's transpose is the rotation back.
  gradient: ({ inputs: [, cos, sin], gradient }) => [
    () => apply(ROTATE, [gradient, cos, negate(sin)], undefined),
    undefined,
    undefined,
  ],
};

/**
 * DINOv3's rotary position embedding (Siméoni et al. 2025, timm `RotaryEmbeddingDinoV3`): patch centres
 * (i + ½)/rows and (j + ½)/columns mapped to (−1, 1), angles 2π·coordinate/period with periods
 * 100^(k / (head width / 4)), first those of the row, then those of the column. Within a head,
 * out = x·cos + [−x₂, x₁]·sin with x₁ and x₂ its two halves. Prefix tokens stay as they are.
 *
 * @param prefix tokens before the patches
 * @param headWidth a multiple of 4
 */
export function rotaryEmbedding(
  grid: Size,
  { prefix, headWidth }: { readonly prefix: number; readonly headWidth: number },
): Rotation {
  const [rows, columns] = grid;
  const quarter = headWidth / 4;
  const tokens = prefix + rows * columns;
  const cos = new Float64Array(tokens * 2 * quarter).fill(1);
  const sin = new Float64Array(tokens * 2 * quarter);
  const put = (at: number, place: number, count: number, k: number): void => {
    const coordinate = (2 * (place + 0.5)) / count - 1;
    const angle = (2 * Math.PI * coordinate) / TEMPERATURE ** (k / quarter);
    cos[at] = Math.cos(angle);
    sin[at] = Math.sin(angle);
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const start = (prefix + row * columns + column) * 2 * quarter;
      for (let k = 0; k < quarter; k++) {
        put(start + k, row, rows, k);
        put(start + quarter + k, column, columns, k);
      }
    }
  }
  const cosines = constant([...cos], [tokens, 2 * quarter]);
  const sines = constant([...sin], [tokens, 2 * quarter]);
  return (x) => apply(ROTATE, [x, cosines, sines], undefined);
}
