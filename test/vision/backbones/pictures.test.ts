import { describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { input, Scope } from '../../../src/tensor/index.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { roundChannels } from '../../../src/vision/backbones/mbconv.ts';
import { HIERARCHICAL } from './hierarchical.ts';

const run = (arch: string, config: object, height: number, width: number) =>
  makeBackbone(arch, config).forward(
    Scope.root({ random: randomStream(0) }),
    input('images', [2, 3, height, width]),
  );

const convnext = { depths: [1, 1, 1, 1], dims: [8, 8, 16, 24] };
const swinv2 = { dim: 8, depths: [2, 2], heads: [2, 4], window: 4 };

describe('maps of hierarchical backbones', () => {
  it.each(HIERARCHICAL)('of $name are what timm lays out', ({ backbone, size, features, grids }) => {
    const scope = Scope.root({ random: randomStream(0) });
    const output = backbone.forward(scope, input('images', [2, 3, ...size]));
    expect(output.features.shape).toEqual(features);
    expect(output.pooled.shape).toEqual([2, backbone.width]);
    expect(output.blocks.map(({ grid }) => grid)).toEqual(grids);
    expect(output.blocks).toHaveLength(backbone.depth);
    for (const { patches, prefix, grid } of [...output.blocks, output.tokens]) {
      expect(patches.shape.slice(0, 2)).toEqual([2, grid[0] * grid[1]]);
      expect(prefix).toBeNull();
    }
  });

  it('of ConvNeXt leave out what no patch and no merge reaches', () => {
    expect(run('convnext', convnext, 75, 90).features.shape).toEqual([2, 24, 2, 2]);
  });

  it('of EfficientNet grow with odd pictures, whichever way they are padded', () => {
    const small = { channelMultiplier: 0.25, depthMultiplier: 0.3 };
    for (const variant of ['efficientnet_b0', 'tf_efficientnet_b0']) {
      expect(run('efficientnet', { variant, ...small }, 65, 97).features.shape).toEqual([2, 320, 3, 4]);
    }
  });

  it('of SwinV2 take any whole patches, whatever the windows are laid out for', () => {
    expect(run('swinv2', swinv2, 64, 96).features.shape).toEqual([2, 8, 12, 16]);
    expect(run('swinv2', { ...swinv2, imgSize: 64 }, 36, 100).features.shape).toEqual([2, 5, 13, 16]);
    expect(run('swinv2', swinv2, 4, 4).features.shape).toEqual([2, 1, 1, 16]);
  });

  it('are refused for pictures that do not suit, with the sizes that would', () => {
    expect(() => run('swinv2', swinv2, 66, 64)).toThrow(ShapeError);
    expect(() => run('swinv2', swinv2, 66, 64)).toThrow(/multiples of 4/);
    expect(() => run('convnext', convnext, 2, 64)).toThrow(ShapeError);
  });
});

describe('configurations of hierarchical backbones', () => {
  it.each([
    ['convnext', { depths: [1, 1], dims: [8] }, /one number a stage/],
    ['convnext', { depths: [1.5], dims: [8] }, /depths\.0/],
    ['swinv2', { ...swinv2, heads: [2, 3] }, /heads\.1: must divide/],
    ['swinv2', { ...swinv2, pretrainedWindows: [1] }, /pretrainedWindows: must have one number a stage/],
    ['efficientnet', { variant: 'efficientnet_b9' }, /b0 … b7/],
    ['efficientnet', { variant: 'efficientnet_b0', channelMultiplier: 0 }, /channelMultiplier/],
    ['efficientnetv2', { variant: 'efficientnet_b0' }, /tf_efficientnetv2_s/],
    ['efficientnetv2', { variant: 'tf_efficientnetv2_l', width: 2 }, /width/],
  ])('%s is refused with %o', (arch, config, message) => {
    expect(() => makeBackbone(arch, config)).toThrow(UsageError);
    expect(() => makeBackbone(arch, config)).toThrow(message);
  });
});

describe('rounded channels', () => {
  it.each([
    [32, 1, 32],
    [32, 1.4, 48], // 44.8
    [24, 1.4, 32], // 33.6
    [40, 1.4, 56],
    [320, 1.4, 448],
    [1280, 1.4, 1792],
    [40, 1.1, 48], // 44 is half way, and goes up
    [16, 0.25, 8], // never below 8
    [24, 0.5, 16], // 12 is half way
    [80, 0.13, 16], // 10.4 → 8 would lose more than a tenth
  ])('%d × %d become %d', (channels, multiplier, rounded) => {
    expect(roundChannels(channels, multiplier)).toBe(rounded);
  });
});
