import { describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { input, Scope, sizeOf } from '../../../src/tensor/index.ts';
import { backboneParameters, makeBackbone } from '../../../src/vision/backbones/index.ts';

const dinov2 = (dim: number, depth: number, more: object = {}) =>
  makeBackbone('dinov2', { patch: 14, dim, depth, heads: dim / 64, imgSize: [518, 518], ...more });

const dinov3 = (dim: number, depth: number, more: object = {}) =>
  makeBackbone('dinov3', { patch: 16, dim, depth, heads: dim / 64, ...more });

const siglipB = makeBackbone('siglip', { patch: 16, dim: 768, depth: 12, heads: 12, imgSize: 224 });

const so400m = makeBackbone('siglip', {
  patch: 14,
  dim: 1152,
  depth: 27,
  heads: 16,
  imgSize: 384,
  mlpHidden: 4304,
});

function shapes(backbone: ReturnType<typeof makeBackbone>, height: number, width: number) {
  const scope = Scope.root({ random: randomStream(0) });
  return backbone.forward(scope, input('images', [2, 3, height, width]));
}

describe('backbones at their real size', () => {
  it.each([
    ['DINOv2-S', dinov2(384, 12), 22.06],
    ['DINOv2-B', dinov2(768, 12), 86.58],
    ['DINOv2-L', dinov2(1024, 24), 304.37],
    ['DINOv2-g', dinov2(1536, 40, { mlp: 'swiglu' }), 1136.48],
    ['DINOv2-S with registers', dinov2(384, 12, { registers: 4 }), 22.06],
    ['DINOv3-S qkvb', dinov3(384, 12, { qkvBias: true }), 21.6],
    ['DINOv3-B qkvb', dinov3(768, 12, { qkvBias: true }), 85.7],
    ['DINOv3-L qkvb', dinov3(1024, 24, { qkvBias: true }), 303.13],
    ['DINOv3-H+', dinov3(1280, 32, { mlp: 'swiglu' }), 840.5],
    ['SigLIP-B', siglipB, 92.9],
    ['SigLIP-so400m', so400m, 428.2],
  ])('%s has as many parameters as published', (_, backbone, millions) => {
    const count = backboneParameters(backbone).reduce((total, { shape }) => total + sizeOf(shape), 0);
    const decimals = String(millions).split('.')[1]?.length ?? 0;
    expect((count / 1e6).toFixed(decimals)).toBe(millions.toFixed(decimals));
  });

  it('has as many tensors as the published checkpoints', () => {
    expect(backboneParameters(dinov2(1024, 24))).toHaveLength(342);
    expect(backboneParameters(dinov3(1024, 24, { qkvBias: true }))).toHaveLength(366);
  });
});

describe('pictures of any size', () => {
  it('become as many tokens as there are whole patches, CLS and registers', () => {
    const registered = dinov2(384, 12, { registers: 4 });
    const { features, pooled, tokens, blocks } = shapes(registered, 280, 518);
    expect(features.shape).toEqual([2, 5 + 20 * 37, 384]);
    expect(pooled.shape).toEqual([2, 384]);
    expect(tokens.grid).toEqual([20, 37]);
    expect(tokens.prefix?.shape).toEqual([2, 5, 384]);
    expect(blocks).toHaveLength(12);
    expect(blocks[11]?.patches.shape).toEqual([2, 20 * 37, 384]);
    expect(shapes(dinov3(384, 12), 512, 1024).features.shape).toEqual([2, 5 + 32 * 64, 384]);
    expect(shapes(siglipB, 224, 448).features.shape).toEqual([2, 14 * 28, 768]);
  });

  it('may be the native size even where a part of a patch is left over', () => {
    expect(shapes(so400m, 384, 384).features.shape).toEqual([2, 729, 1152]);
    expect(shapes(so400m, 384, 384).tokens.prefix).toBeNull();
  });

  it('are refused with the sizes that would do', () => {
    expect(() => shapes(dinov2(384, 12), 512, 512)).toThrow(ShapeError);
    expect(() => shapes(dinov2(384, 12), 512, 512)).toThrow(/multiples of 14, not 512 × 512/);
    expect(() => shapes(dinov3(384, 12), 512, 500)).toThrow(/multiples of 16/);
    const scope = Scope.root({ random: randomStream(0) });
    expect(() => siglipB.forward(scope, input('images', [1, 1, 224, 224]))).toThrow(/\[batch, 3, height/);
  });
});

describe('configurations', () => {
  it('are refused with every problem named', () => {
    expect(() => makeBackbone('dinov2', { dim: 64, heads: 0, depht: 3 })).toThrow(UsageError);
    expect(() => makeBackbone('dinov2', { dim: 64, heads: 0, depht: 3 })).toThrow(
      /configuration of dinov2: .*depth.*heads.*depht/,
    );
    expect(() => makeBackbone('dinov2', { dim: 64, heads: 3, depth: 1 })).toThrow(/multiple of heads/);
    expect(() => makeBackbone('dinov3', { dim: 18, heads: 3, depth: 1 })).toThrow(/multiple of 4/);
    expect(() => makeBackbone('resnet', {})).toThrow(/unknown architecture "resnet"; choose one of dinov2/);
  });
});
