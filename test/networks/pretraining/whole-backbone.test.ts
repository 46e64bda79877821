import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import type { Weights } from '../../../src/networks/inputs/input.ts';
import {
  BACKBONE,
  backboneFeatures,
  backboneScope,
  openPhotoBackbone,
  type PhotoBackbone,
} from '../../../src/networks/inputs/photos.ts';
import { wholeBackbone } from '../../../src/networks/pretraining/whole-backbone.ts';
import { fineTuning, wholePhotoPlan } from '../../../src/networks/settings/pretrain.ts';
import { compile, input, openSafetensors, type Scope, saveTensors } from '../../../src/tensor/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolvePretrainSettings } from '../../support/written-settings.ts';
import { writeTinyBackbone } from '../tiny-photos.ts';

const root = temporaryFolder('whole-backbone');
const settings = resolvePretrainSettings(['estimator.fineTune.mode=lora', 'estimator.fineTune.lora.rank=2']);
const random = randomStream(9);
const pictures = Float32Array.from({ length: 3 * 28 * 28 }, () => random.normal());
let net: PhotoBackbone;

beforeAll(async () => {
  net = await openPhotoBackbone(
    await writeTinyBackbone(join(root, 'tiny.safetensors')),
    wholePhotoPlan(settings),
  );
});

async function featuresOf(scope: Scope): Promise<number[]> {
  const { parts } = backboneFeatures(net, scope.forInference(), input('images', [1, 3, 28, 28]));
  const program = await compile({ outputs: { parts } });
  const result = await program.run({ images: pictures });
  await program.dispose();
  return Array.from(result.parts?.values as Float32Array);
}

/** Adapters that change what they are added to. */
async function adapters(): Promise<Weights> {
  const part = { trains: () => true, rate: 1 };
  const scope = backboneScope(net, fineTuning(settings), { random, part });
  await featuresOf(scope);
  return Object.fromEntries(
    scope.parameters
      .filter(({ name }) => /lora_[ab]$/.test(name))
      .map(({ name, shape }) => {
        const values = Float32Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, () =>
          random.normal(),
        );
        return [name.slice(BACKBONE.length), { dtype: 'float32', shape, values }];
      }),
  );
}

describe('a whole backbone', () => {
  it('with adapters merged makes the features that it makes with adapters', async () => {
    const trained = await adapters();
    expect(Object.keys(trained)).toHaveLength(8);
    await saveTensors(join(root, 'adapters.safetensors'), { ...trained });
    const beside = backboneScope(net, fineTuning(settings), {
      random,
      part: { trains: () => true, rate: 1 },
      variable: false,
      trained: await openSafetensors(join(root, 'adapters.safetensors')),
    });
    await saveTensors(join(root, 'merged.safetensors'), { ...(await wholeBackbone(net, trained, settings)) });
    const file = await openSafetensors(join(root, 'merged.safetensors'));
    const merged = backboneScope({ file }, fineTuning(resolvePretrainSettings([])), {
      random,
      part: { trains: () => false, rate: 1 },
    });
    const untouched = backboneScope(net, fineTuning(resolvePretrainSettings([])), {
      random,
      part: { trains: () => false, rate: 1 },
    });
    const [wanted, found, before] = await Promise.all([beside, merged, untouched].map(featuresOf));
    for (const [at, value] of (wanted ?? []).entries()) expect(found?.[at]).toBeCloseTo(value, 4);
    expect(
      Math.max(...(wanted ?? []).map((value, at) => Math.abs(value - (before?.[at] ?? 0)))),
    ).toBeGreaterThan(0.1);
  });

  it('is stored in half precision where that is wanted, vectors as they are', async () => {
    const half = resolvePretrainSettings(['estimator.storage=fp16']);
    const whole = await wholeBackbone(net, {}, half);
    expect(whole['blocks.0.attn.qkv.weight']?.dtype).toBe('float16');
    expect(whole['norm.weight']?.dtype).toBe('float32');
    expect(Object.keys(whole).sort()).toEqual([...net.file.tensors.keys()].sort());
  });
});
