import { crc32 } from 'node:zlib';
import { sizeOf, type TensorData } from '../../../../src/tensor/index.ts';
import { type Backbone, backboneParameters } from '../../../../src/vision/backbones/index.ts';

/** Numbers in [−1, 1) that follow from a name: the index plus the name's CRC-32, mixed as MurmurHash3 ends. */
function uniform(name: string, count: number): Float64Array {
  const seed = crc32(name);
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let x = (Math.imul(index, 0x9e3779b1) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[index] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

/** The weights that timm_lite.py gives a backbone. */
export const formulaWeights = (backbone: Backbone): Record<string, TensorData> =>
  Object.fromEntries(
    backboneParameters(backbone).map(({ name, shape }) => {
      const values = uniform(name, sizeOf(shape));
      const isFactor = shape.length === 1 && /(weight|running_var)$/.test(name);
      const scale = shape.length > 1 ? Math.sqrt(3 / sizeOf(shape.slice(1))) : 1;
      const scaled = new Float32Array(values.length);
      for (let at = 0; at < values.length; at++) {
        const value = values[at] as number;
        scaled[at] = isFactor ? 1 + value / 4 : value * scale;
      }
      return [name, { dtype: 'float32', shape, values: scaled }];
    }),
  );

/** The picture that timm_lite.py gives a network: `[1, 3, side, side]`. */
export const formulaPicture = (side: number): Float32Array =>
  Float32Array.from(uniform(`picture ${side}`, 3 * side * side));
