import { describe, expect, it } from 'vitest';
import { backboneParameters, makeBackbone } from '../../../src/vision/backbones/index.ts';
import {
  CATALOGUE,
  findBackbone,
  LICENCE_NOTES,
  unknownBackbone,
} from '../../../src/vision/weights/index.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

describe('the catalogue', () => {
  it('names each set of weights once', () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
  });

  it('has every model of the field guide', () => {
    const guide = [
      'vit_small_patch14_dinov2.lvd142m',
      'vit_base_patch14_dinov2.lvd142m',
      'vit_large_patch14_dinov2.lvd142m',
      'vit_small_patch16_dinov3_qkvb.lvd1689m',
      'vit_base_patch16_dinov3_qkvb.lvd1689m',
      'vit_large_patch16_dinov3_qkvb.lvd1689m',
      'vit_huge_plus_patch16_dinov3.lvd1689m',
      'vit_base_patch16_siglip_224.webli',
      'vit_so400m_patch14_siglip_384.webli',
      'convnext_large.fb_in22k_ft_in1k',
      'swinv2_base_window12to16_192to256.ms_in22k_ft_in1k',
      'tf_efficientnetv2_l.in21k_ft_in1k',
      'efficientnet_b4.ra2_in1k',
    ];
    expect(guide.filter((name) => findBackbone(name) === undefined)).toEqual([]);
  });

  it('has configurations that make backbones of the stated width and number of parameters', () => {
    const counted = new Map<string, readonly [number, number]>();
    const wrong = CATALOGUE.filter(({ arch, config, width, parameters }) => {
      const key = JSON.stringify([arch, config]);
      const found = counted.get(key) ?? countedOf(arch, config);
      counted.set(key, found);
      return found[0] !== width || found[1] !== parameters;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('pins a commit only together with the size and the checksum of the file there', () => {
    const pinned = CATALOGUE.filter(({ revision }) => revision !== 'main');
    expect(pinned.length).toBeGreaterThan(10);
    for (const { name, revision, bytes, sha256 } of pinned) {
      expect(revision, name).toMatch(/^[0-9a-f]{40}$/);
      expect(sha256, name).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes, name).toBeGreaterThan(1e7);
    }
    for (const { revision, bytes, sha256 } of CATALOGUE) {
      if (revision === 'main') expect([bytes, sha256]).toEqual([null, null]);
    }
    const [checksums, commits] = [
      new Set(pinned.map((e) => e.sha256)),
      new Set(pinned.map((e) => e.revision)),
    ];
    expect([checksums.size, commits.size]).toEqual([pinned.length, pinned.length]);
  });

  it('has bytes for every parameter, and little more than a head for classes', () => {
    for (const { name, parameters, dataBytes, bytes } of CATALOGUE) {
      expect(dataBytes, name).toBeGreaterThanOrEqual(4 * parameters);
      expect(dataBytes - 4 * parameters, name).toBeLessThan(4 * 21_843 * 1537 + 2_000_000);
      if (bytes !== null) expect(bytes, name).toBeGreaterThan(dataBytes);
      // A header of names and shapes is all a file has besides.
      if (bytes !== null) expect(bytes, name).toBeLessThan(dataBytes + 200_000);
    }
  });

  it('prepares photos as the weights expect them', () => {
    const of = (name: string) => findBackbone(name)?.preprocessing;
    expect(of('tf_efficientnetv2_l.in21k_ft_in1k')).toEqual({
      inputSize: [384, 384],
      testInputSize: [480, 480],
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode: 'squash',
    });
    expect(of('vit_so400m_patch14_siglip_384.webli')).toMatchObject({
      inputSize: [384, 384],
      mean: [0.5, 0.5, 0.5],
    });
    expect(of('vit_large_patch14_dinov2.lvd142m')).toMatchObject({
      inputSize: [518, 518],
      std: [0.229, 0.224, 0.225],
    });
    expect(of('efficientnet_b4.ra2_in1k')).toMatchObject({
      inputSize: [320, 320],
      testInputSize: [384, 384],
    });
  });

  it('tells the licence of each', () => {
    expect(findBackbone('vit_large_patch16_dinov3.lvd1689m')?.licence).toBe('DINOv3');
    expect(findBackbone('convnext_tiny.dinov3_lvd1689m')?.licence).toBe('DINOv3');
    expect(findBackbone('swinv2_tiny_window8_256.ms_in1k')?.licence).toBe('MIT');
    expect(findBackbone('vit_small_patch14_dinov2.lvd142m')?.licence).toBe('Apache-2.0');
    for (const { licence } of CATALOGUE) expect(LICENCE_NOTES[licence].length).toBeGreaterThan(20);
  });

  it('finds a model without its tag where only one set of weights has it', () => {
    expect(findBackbone('vit_large_patch14_dinov2')?.name).toBe('vit_large_patch14_dinov2.lvd142m');
    expect(findBackbone('timm/vit_large_patch14_dinov2.lvd142m')?.name).toBe(
      'vit_large_patch14_dinov2.lvd142m',
    );
    expect(findBackbone('convnext_large')).toBeUndefined();
    expect(findBackbone('vit_large')).toBeUndefined();
  });

  it('suggests names near to an unknown one', () => {
    expect(unknownBackbone('vit_large_dinov2').message).toMatch(
      /did you mean [^?]*vit_large_patch14_dinov2.lvd142m/,
    );
  });
});

function countedOf(arch: string, config: unknown): readonly [number, number] {
  const backbone = makeBackbone(arch, config);
  const parameters = backboneParameters(backbone).filter(({ name }) => !/running_(mean|var)$/.test(name));
  return [backbone.width, parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)];
}
