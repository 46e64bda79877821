import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CATALOGUE,
  localWeights,
  originOf,
  type ResolvedWeights,
} from '../../../src/vision/weights/index.ts';
import { writeTinyBackbone } from '../../networks/tiny-photos.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('origin');

/** Weights of some source and content. */
function weights(source: string, sha256 = '1'.repeat(64)): ResolvedWeights {
  return {
    ...{ path: 'w.safetensors', arch: 'dinov2', config: {}, source, sha256 },
    preprocessing: {
      ...{ inputSize: [28, 28], mean: [0, 0, 0], std: [1, 1, 1] },
      ...{ interpolation: 'bicubic', cropFraction: 1, cropMode: 'center' },
    },
  };
}

describe('where weights come from', () => {
  it('is an entry of the catalogue by name, by repository or by content', () => {
    const name = 'vit_small_patch14_dinov2.lvd142m';
    const known = CATALOGUE.find((entry) => entry.name === name);
    const found = [
      weights(`catalogue ${name}`),
      weights(`hub timm/${name}@abc`),
      weights('file some.safetensors', known?.sha256 ?? undefined),
    ].map(originOf);
    for (const origin of found)
      expect(origin).toMatchObject({ source: `catalogue ${name}`, licence: 'Apache-2.0' });
    expect(originOf(weights('hub facebook/dinov3-vits16-pretrain-lvd1689m@abc')).licence).toBe('DINOv3');
  });

  it('is unknown of any other file, which is named without its folders', () => {
    const origin = originOf(weights('file /home/ana/own.safetensors'));
    expect(origin).toEqual({ source: 'file own.safetensors', sha256: '1'.repeat(64), licence: null });
  });

  it('is what the description beside a file says, also when that is trained further again', async () => {
    const path = join(root, 'tiny.safetensors');
    const { arch, config } = await writeTinyBackbone(path);
    const origin = {
      source: 'catalogue swinv2_tiny_window8_256.ms_in1k',
      sha256: '2'.repeat(64),
      licence: 'MIT',
    };
    writeFileSync(join(root, 'tiny.json'), JSON.stringify({ arch, config, origin }));
    const local = await localWeights(path, join(root, 'cache'));
    expect(originOf({ ...local, source: `file ${path}` })).toEqual(origin);
    writeFileSync(
      join(root, 'tiny.json'),
      JSON.stringify({ arch, config, origin: { ...origin, licence: 'mine' } }),
    );
    await expect(localWeights(path, join(root, 'cache'))).rejects.toThrow(/tiny\.json: origin\.licence/);
  });
});
