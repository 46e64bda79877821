import { readTensorAsFloat32, type TensorData } from '../../tensor/index.ts';
import { backboneParameters } from '../../vision/backbones/index.ts';
import type { Weights } from '../inputs/input.ts';
import type { PhotoBackbone } from '../inputs/photos.ts';
import { forStorage } from '../prediction/model-files.ts';
import { fineTuning, type PretrainSettings } from '../settings/pretrain.ts';

/**
 * All tensors of a backbone after training, adapters merged into the layers they are of, as they are to be stored.
 * Heads for classes that the file may hold are left out.
 *
 * @param trained under the checkpoint's names
 * @throws InputError when the published weights cannot be read
 */
export async function wholeBackbone(
  { backbone, file }: Pick<PhotoBackbone, 'backbone' | 'file'>,
  trained: Weights,
  settings: PretrainSettings,
): Promise<Weights> {
  const { rank, alpha } = fineTuning(settings).lora;
  const whole: Record<string, TensorData> = {};
  for (const { name, shape } of backboneParameters(backbone)) {
    const published = async (): Promise<TensorData> => ({
      dtype: 'float32',
      shape,
      values: await readTensorAsFloat32(file, name),
    });
    const weight = trained[name] ?? (await published());
    const layer = name.replace(/\.weight$/, '');
    const [down, up] = [trained[`${layer}.lora_a`], trained[`${layer}.lora_b`]];
    whole[name] = name !== layer && down && up ? merged(weight, down, up, alpha / rank) : weight;
  }
  return forStorage(whole, settings.estimator.storage);
}

/** weight + scale · up · down. @param weight `[out, in]` @param down `[rank, in]` @param up `[out, rank]` */
function merged(weight: TensorData, down: TensorData, up: TensorData, scale: number): TensorData {
  const [rank, width] = down.shape as [number, number];
  const [a, b] = [down.values as Float32Array, up.values as Float32Array];
  const values = Float32Array.from(weight.values as Float32Array, (value, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let inner = 0; inner < rank; inner++) {
      sum += (b[row * rank + inner] as number) * (a[inner * width + column] as number);
    }
    return value + scale * sum;
  });
  return { dtype: 'float32', shape: weight.shape, values };
}
