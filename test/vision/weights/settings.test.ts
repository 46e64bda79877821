import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hubSettings } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('settings');

describe('settings of the hub', () => {
  it('are the public hub and the shared cache where nothing is set', () => {
    expect(hubSettings({ HF_TOKEN_PATH: join(root, 'none') })).toMatchObject({
      endpoint: 'https://huggingface.co',
      cacheFolder: join(homedir(), '.cache', 'huggingface', 'hub'),
      token: undefined,
      offline: false,
      stallMilliseconds: 30_000,
    });
  });

  it('follow the variables of the other tools', () => {
    const folder = (environment: NodeJS.ProcessEnv): string => hubSettings(environment).cacheFolder;
    expect(folder({ HF_HOME: '/a' })).toBe(join('/a', 'hub'));
    expect(folder({ XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'huggingface', 'hub'));
    expect(folder({ HF_HOME: '/a', HF_HUB_CACHE: '/b' })).toBe('/b');
    expect(folder({ HF_HOME: '~/weights' })).toBe(join(homedir(), 'weights', 'hub'));
    expect(folder({ HF_HOME: '' })).toBe(join(homedir(), '.cache', 'huggingface', 'hub'));
    expect(hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf/' }).endpoint).toBe(
      'https://mirror.example/hf',
    );
    expect(hubSettings({ HF_HUB_OFFLINE: '1' }).offline).toBe(true);
    expect(hubSettings({ HF_HUB_OFFLINE: '0' }).offline).toBe(false);
    expect(hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: '5' }).stallMilliseconds).toBe(5_000);
    expect(hubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' }).stallMilliseconds).toBe(30_000);
  });

  it('take the token from the environment, else from the file that logging in leaves', () => {
    const home = join(root, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'token'), 'hf_file\n');
    expect(hubSettings({ HF_HOME: home }).token).toBe('hf_file');
    expect(hubSettings({ HF_HOME: home, HF_TOKEN: 'hf_environment' }).token).toBe('hf_environment');
    expect(hubSettings({ HF_HOME: join(root, 'elsewhere') }).token).toBeUndefined();
  });
});
