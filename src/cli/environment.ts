import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Environment, hubIn, tokenIn } from '../ground/environment.ts';

/**
 * What a process's variables say, for `configure`: `SWARD_CACHE`, `SWARD_PROVIDER`, and by the names Hugging Face's own
 * tools use `HF_ENDPOINT`, `HF_HUB_CACHE` (else `HF_HOME`/hub, else `XDG_CACHE_HOME`/huggingface/hub, else
 * ~/.cache/huggingface/hub), `HF_TOKEN` (else the file `HF_TOKEN_PATH`, else `HF_HOME`/token), `HF_HUB_OFFLINE`,
 * `HF_HUB_DOWNLOAD_TIMEOUT` in seconds. Nothing but the command line reads them.
 */
export function environmentFrom(variables: NodeJS.ProcessEnv): Partial<Environment> {
  const set = (name: string): string | undefined => variables[name]?.trim() || undefined;
  const inHome = (path: string): string => path.replace(/^~(?=$|[\\/])/, homedir());
  const home = inHome(
    set('HF_HOME') ?? join(set('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface'),
  );
  const usual = hubIn(home);
  const tokenPath = set('HF_TOKEN_PATH');
  const seconds = Number(set('HF_HUB_DOWNLOAD_TIMEOUT'));
  return {
    ...(variables.SWARD_CACHE && { cacheFolder: variables.SWARD_CACHE }),
    ...(variables.SWARD_PROVIDER && { provider: variables.SWARD_PROVIDER }),
    hub: {
      endpoint: (set('HF_ENDPOINT') ?? usual.endpoint).replace(/\/+$/, ''),
      cacheFolder: inHome(set('HF_HUB_CACHE') ?? set('HUGGINGFACE_HUB_CACHE') ?? usual.cacheFolder),
      token:
        set('HF_TOKEN') ??
        set('HUGGING_FACE_HUB_TOKEN') ??
        (tokenPath === undefined ? usual.token : tokenIn(inHome(tokenPath))),
      offline: /^(1|on|yes|true)$/i.test(set('HF_HUB_OFFLINE') ?? ''),
      stallMilliseconds: Number.isFinite(seconds) && seconds > 0 ? 1_000 * seconds : usual.stallMilliseconds,
      retryMilliseconds: usual.retryMilliseconds,
    },
  };
}
