import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentFrom } from '../../src/cli/environment.ts';
import { configure, environment, type HubSettings } from '../../src/ground/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('environment');

const hub = (variables: NodeJS.ProcessEnv): HubSettings | undefined => environmentFrom(variables).hub;

describe('the environment', () => {
  it('needs no configuration', () => {
    expect(environment()).toMatchObject({
      cacheFolder: join(homedir(), '.cache', 'sward'),
      provider: 'cpu',
      hub: { endpoint: 'https://huggingface.co', offline: false },
    });
  });

  it('is what was configured, one setting at a time', () => {
    configure({ cacheFolder: '/somewhere' });
    configure({ provider: 'cuda' });
    expect(environment()).toMatchObject({ cacheFolder: '/somewhere', provider: 'cuda' });
  });

  it('is what the variables of sward say; empty ones say nothing', () => {
    const some = environmentFrom({ SWARD_CACHE: '/somewhere', SWARD_PROVIDER: '' });
    expect(some.cacheFolder).toBe('/somewhere');
    expect('provider' in some).toBe(false);
    expect(environmentFrom({ SWARD_PROVIDER: 'webgpu' }).provider).toBe('webgpu');
  });
});

describe('settings of the hub', () => {
  it('are the public hub and the shared cache where nothing is set', () => {
    expect(hub({ HF_TOKEN_PATH: join(root, 'none') })).toMatchObject({
      endpoint: 'https://huggingface.co',
      cacheFolder: join(homedir(), '.cache', 'huggingface', 'hub'),
      token: undefined,
      offline: false,
      stallMilliseconds: 30_000,
    });
  });

  it('follow the variables of the other tools', () => {
    const folder = (variables: NodeJS.ProcessEnv): string | undefined => hub(variables)?.cacheFolder;
    expect(folder({ HF_HOME: '/a' })).toBe(join('/a', 'hub'));
    expect(folder({ XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'huggingface', 'hub'));
    expect(folder({ HF_HOME: '/a', HF_HUB_CACHE: '/b' })).toBe('/b');
    expect(folder({ HF_HOME: '~/weights' })).toBe(join(homedir(), 'weights', 'hub'));
    expect(folder({ HF_HOME: '' })).toBe(join(homedir(), '.cache', 'huggingface', 'hub'));
    expect(hub({ HF_ENDPOINT: 'https://mirror.example/hf/' })?.endpoint).toBe('https://mirror.example/hf');
    expect(hub({ HF_HUB_OFFLINE: '1' })?.offline).toBe(true);
    expect(hub({ HF_HUB_OFFLINE: '0' })?.offline).toBe(false);
    expect(hub({ HF_HUB_DOWNLOAD_TIMEOUT: '5' })?.stallMilliseconds).toBe(5_000);
    expect(hub({ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' })?.stallMilliseconds).toBe(30_000);
  });

  it('take the token from the environment, else from the file that logging in leaves', () => {
    const home = join(root, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'token'), 'hf_file\n');
    expect(hub({ HF_HOME: home })?.token).toBe('hf_file');
    expect(hub({ HF_HOME: home, HF_TOKEN: 'hf_environment' })?.token).toBe('hf_environment');
    expect(hub({ HF_HOME: join(root, 'elsewhere') })?.token).toBeUndefined();
  });
});
