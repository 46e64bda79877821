import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the hub is, where its files are kept, and how patient to be. */
export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** The folder that holds `models--organisation--name`. */
  readonly cacheFolder: string;
  readonly token: string | undefined;
  /** Whether the network must not be used. */
  readonly offline: boolean;
  /** A connection that brings nothing for so long is given up. */
  readonly stallMilliseconds: number;
  /** Pauses before each attempt after the first; attempts that get further start the list again. */
  readonly retryMilliseconds: readonly number[];
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const DEFAULT_STALL_SECONDS = 30;
const RETRY_MILLISECONDS = [500, 1_000, 2_000, 4_000];

/**
 * Settings from the environment, by the names Hugging Face's own tools use: `HF_ENDPOINT`, `HF_HUB_CACHE`
 * (else `HF_HOME`/hub, else `XDG_CACHE_HOME`/huggingface/hub, else ~/.cache/huggingface/hub), `HF_TOKEN` (else
 * the file `HF_TOKEN_PATH`, else `HF_HOME`/token), `HF_HUB_OFFLINE`, `HF_HUB_DOWNLOAD_TIMEOUT` in seconds.
 */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const set = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const inHome = (path: string): string => path.replace(/^~(?=$|[\\/])/, homedir());
  const home = inHome(
    set('HF_HOME') ?? join(set('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface'),
  );
  const seconds = Number(set('HF_HUB_DOWNLOAD_TIMEOUT') ?? DEFAULT_STALL_SECONDS);
  return {
    endpoint: (set('HF_ENDPOINT') ?? DEFAULT_ENDPOINT).replace(/\/+$/, ''),
    cacheFolder: inHome(set('HF_HUB_CACHE') ?? set('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub')),
    token:
      set('HF_TOKEN') ??
      set('HUGGING_FACE_HUB_TOKEN') ??
      tokenFrom(inHome(set('HF_TOKEN_PATH') ?? join(home, 'token'))),
    offline: /^(1|on|yes|true)$/i.test(set('HF_HUB_OFFLINE') ?? ''),
    stallMilliseconds: 1_000 * (Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_STALL_SECONDS),
    retryMilliseconds: RETRY_MILLISECONDS,
  };
}

function tokenFrom(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    // Most people have no token and need none; a repository that wants one says so.
    return undefined;
  }
}
