import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hubIn } from '../../../src/ground/environment.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { compile, input, openSafetensors, Scope } from '../../../src/tensor/index.ts';
import { checkWeights, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { featurePlan, pooledFeatures } from '../../../src/vision/features/index.ts';
import { findBackbone, localWeights, originOf, resolveWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { formulaPicture } from '../backbones/reference/formula.ts';
import { expectAlike, summarySchema } from '../backbones/reference/summary.ts';

const root = temporaryFolder('bundled');
const folder = join(import.meta.dirname, '..', '..', '..', 'weights');
const reference = new URL('../backbones/reference/bundled.json', import.meta.url);
const cases = z
  .record(z.string(), z.object({ side: z.int(), stages: summarySchema }))
  .parse(JSON.parse(readFileSync(reference, 'utf8')));

describe('the bundled backbone', () => {
  it('is there without network or hub, prepared as the weights it was made of', async () => {
    const settings = { ...hubIn(join(root, 'no-hub')), endpoint: 'http://127.0.0.1:9', offline: true };
    const weights = await resolveWeights('bundled', { settings, cacheFolder: join(root, 'cache') });
    const name = weights.source.replace(/^bundled /, '');
    const entry = findBackbone(name);
    expect(entry?.licence).toBe('Apache-2.0');
    expect(weights).toMatchObject({
      source: `bundled ${name}`,
      config: entry?.config,
      preprocessing: entry?.preprocessing,
    });
    expect(originOf(weights)).toEqual({
      source: `bundled ${name}`,
      sha256: weights.sha256,
      licence: 'Apache-2.0',
    });
    const file = await openSafetensors(weights.path);
    checkWeights(makeBackbone(weights.arch, weights.config), file);
  });

  it('comes with its licence and what was changed, in less than 13 MB', () => {
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toMatch(/Apache License\s+Version 2\.0/);
    const notice = readFileSync(join(folder, 'NOTICE'), 'utf8');
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) {
      expect(notice).toContain(name);
      expect(statSync(join(folder, name)).size).toBeLessThan(13e6);
    }
  });

  it('may be taken as a plain file, which is recognised by its tensors', async () => {
    const { path, config, preprocessing } = await resolveWeights('bundled', {
      cacheFolder: join(root, 'cache'),
    });
    const copy = join(root, 'mine.safetensors');
    copyFileSync(path, copy);
    expect(await localWeights(copy, join(root, 'cache'))).toMatchObject({ config, preprocessing });
  });

  it.each(Object.entries(cases))('of %s has the stages that timm has', async (variant, { side, stages }) => {
    const backbone = makeBackbone('efficientnet', { variant });
    const file = await openSafetensors(join(folder, `${variant}.safetensors`));
    const scope = Scope.root({ random: randomStream(0), trainable: () => false }).from(file);
    const output = backbone.forward(scope, input('images', [1, 3, side, side]));
    const pooled = pooledFeatures(backbone, output, featurePlan({ pooling: 'stages' }));
    const program = await compile({ outputs: { pooled } }, { threads: 2 });
    const results = await program.run({ images: formulaPicture(side) });
    await program.dispose();
    expectAlike('stages', results.pooled, stages);
  });
});
