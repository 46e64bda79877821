import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError, messageOf } from '../../../src/ground/errors.ts';
import { openSafetensors, type TensorData } from '../../../src/tensor/index.ts';
import { checkWeights, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from './tiny.ts';

const folder = temporaryFolder('backbones-weights');
const backbone = makeBackbone('dinov2', { dim: 24, depth: 2, heads: 3, imgSize: [28, 28] });

async function complaint(tensors: Record<string, TensorData>, of = backbone): Promise<string> {
  const path = join(folder, 'weights.safetensors');
  await writeWeights(path, tensors);
  const file = await openSafetensors(path);
  try {
    checkWeights(of, file);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return messageOf(error);
  }
  return '';
}

const vector = (length: number): TensorData => ({
  dtype: 'float32',
  shape: [length],
  values: new Float32Array(length),
});

describe('the weights of a backbone', () => {
  it('are taken as they are, and with what a backbone has no use for', async () => {
    const weights = noisyWeights(backbone);
    expect(await complaint(weights)).toBe('');
    expect(await complaint({ ...weights, 'head.weight': vector(3), 'head.bias': vector(3) })).toBe('');
  });

  it('are refused in one line that lists everything missing, unexpected and misshapen', async () => {
    const { 'norm.weight': _, 'blocks.1.ls1.gamma': __, ...rest } = noisyWeights(backbone);
    const line = await complaint({
      ...rest,
      'blocks.0.norm1.bias': vector(25),
      'blocks.0.attn.extra': vector(1),
    });
    expect(line).toContain(join(folder, 'weights.safetensors'));
    expect(line).toContain('2 missing (blocks.1.ls1.gamma, norm.weight)');
    expect(line).toContain('1 unexpected (blocks.0.attn.extra)');
    expect(line).toContain('1 misshapen (blocks.0.norm1.bias [25] for [24])');
    expect(line).not.toContain('\n');
  });

  it('of another architecture are refused with blocks drawn together', async () => {
    const deep = makeBackbone('dinov3', { dim: 24, depth: 8, heads: 3, qkvBias: true });
    const line = await complaint(noisyWeights(deep));
    expect(line).toContain('blocks.{0–7}.attn.q_bias');
    expect(line).toContain('blocks.{2–7}.mlp.fc1.weight');
    expect(line).toContain('reg_token');
    expect(line).toContain('7 missing (pos_embed, ');
  });
});
