import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findBackbone, pulledPath, pullWeights, resolveWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { huggingFaceDinov2, writeDistinct } from './layout-files.ts';
import { COMMIT, localHub, NO_TENSORS, sha256 } from './local-hub.ts';

const root = temporaryFolder('resolve');
/** An entry whose checksum is not known, so that something small can stand in for its file. */
const NAME = 'vit_small_patch14_reg4_dinov2.lvd142m';
let made = 0;

async function aHub() {
  const hub = await localHub({ [`timm/${NAME}/model.safetensors`]: NO_TENSORS });
  const number = made++;
  const options = {
    settings: hub.settings(join(root, `hub-${number}`)),
    cacheFolder: join(root, `sward-${number}`),
  };
  return { hub, options };
}

describe('a name of the catalogue', () => {
  it('that was not pulled is refused with the command that pulls it', async () => {
    const { hub, options } = await aHub();
    await expect(resolveWeights(NAME, options)).rejects.toThrow(
      new RegExp(`^${NAME}: not pulled yet .* run \`sward backbones pull ${NAME}\`$`),
    );
    expect(hub.seen).toEqual([]);
  });

  it('is found after it was pulled, with everything needed to use it', async () => {
    const { options } = await aHub();
    const entry = findBackbone(NAME);
    if (entry === undefined) throw new Error('the catalogue lacks the entry of this test');
    expect(await pulledPath(entry, options.settings)).toBeUndefined();
    const pulled = await pullWeights(NAME, options);
    expect(pulled).toEqual({
      path: join(
        options.settings.cacheFolder,
        `models--timm--${NAME}`,
        'snapshots',
        COMMIT,
        'model.safetensors',
      ),
      arch: 'dinov2',
      config: entry.config,
      preprocessing: entry.preprocessing,
      source: `catalogue ${NAME}`,
      sha256: sha256(NO_TENSORS),
    });
    expect(await resolveWeights('vit_small_patch14_reg4_dinov2', options)).toEqual(pulled);
    expect(await pulledPath(entry, options.settings)).toBe(pulled.path);
  });

  it('that is none is refused with names near to it', async () => {
    const { options } = await aHub();
    await expect(resolveWeights('vit_small_dinov2', options)).rejects.toThrow(
      /unknown backbone .* did you mean/,
    );
    await expect(pullWeights('../escape/x', options)).rejects.toThrow(/no such file|unknown backbone/);
  });
});

describe('a repository of the hub', () => {
  const publish = async () => {
    const folder = join(root, `published-${made}`);
    mkdirSync(folder);
    await writeDistinct(join(folder, 'model.safetensors'), huggingFaceDinov2('', 4));
    const { hub, options } = await aHub();
    hub.files.set('someone/dino/model.safetensors', readFileSync(join(folder, 'model.safetensors')));
    const config = { model_type: 'dinov2_with_registers', num_attention_heads: 2, image_size: 4 };
    hub.files.set('someone/dino/config.json', Buffer.from(JSON.stringify(config)));
    return { hub, options };
  };

  it('is pulled with its configuration, and converted', async () => {
    const { hub, options } = await publish();
    const weights = await pullWeights('someone/dino', options);
    expect(weights).toMatchObject({
      arch: 'dinov2',
      config: { heads: 2, registers: 4, imgSize: [4, 4] },
      source: `hub someone/dino@${COMMIT}`,
      sha256: sha256(hub.files.get('someone/dino/model.safetensors') ?? Buffer.alloc(0)),
    });
    expect(existsSync(weights.path)).toBe(true);
    expect(weights.path.startsWith(options.cacheFolder)).toBe(true);
    expect(await resolveWeights('someone/dino', options)).toEqual(weights);
    const memories = join(options.cacheFolder, 'weights', 'fingerprints');
    for (const name of readdirSync(memories)) writeFileSync(join(memories, name), 'ab'.repeat(32));
    expect(await resolveWeights('someone/dino', options)).toEqual(weights);
    const path = join(options.settings.cacheFolder, 'models--someone--dino', 'blobs', weights.sha256);
    const content = readFileSync(path);
    writeFileSync(path, content.fill(7, content.length - 8));
    await expect(resolveWeights('someone/dino', options)).rejects.toThrow(/is damaged: .*; pull it again/);
  });

  it('may be pinned to a commit', async () => {
    const { options } = await publish();
    await pullWeights(`someone/dino@${COMMIT}`, options);
    await expect(resolveWeights('someone/dino', options)).rejects.toThrow(/not pulled yet/);
    expect((await resolveWeights(`someone/dino@${COMMIT}`, options)).arch).toBe('dinov2');
  });
});

describe('a file', () => {
  it('is found by its path, and its checksum is read once', async () => {
    const { options } = await aHub();
    const folder = join(root, 'file');
    await writeDistinct(join(folder, 'model.safetensors'), huggingFaceDinov2('', 0));
    writeFileSync(join(folder, 'config.json'), '{"model_type":"dinov2","num_attention_heads":2}');
    const path = join(folder, 'model.safetensors');
    const weights = await resolveWeights(path, options);
    expect(weights.source).toBe(`file ${path}`);
    expect(weights.sha256).toBe(sha256(readFileSync(path)));
    expect(await resolveWeights(folder, options)).toEqual({ ...weights, source: `file ${folder}` });
  });

  it('that was written again counts as another', async () => {
    const { options } = await aHub();
    const path = join(root, 'changing', 'model.safetensors');
    await writeDistinct(path, huggingFaceDinov2('', 0), 1);
    writeFileSync(join(root, 'changing', 'config.json'), '{"model_type":"dinov2","num_attention_heads":2}');
    const before = await resolveWeights(path, options);
    await writeDistinct(path, huggingFaceDinov2('', 0), 2);
    const after = await resolveWeights(path, options);
    expect(after.sha256).not.toBe(before.sha256);
    expect(after.path).not.toBe(before.path);
  });
});
