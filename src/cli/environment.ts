import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Environment, hubIn, tokenIn } from '../ground/environment.ts';

/**
 * What a process's variables say, for `configure`: `SWARD_CACHE`, `SWARD_PROVIDER`, and by the names Hugging Face's own
 * tools use `HF_ENDPOINT`, `HF_HUB_CACHE` (else `HF_HOME`/hub, else `XDG_CACHE_HOME`/huggingface/hub, else
 * ~/.cache/huggingface/hub), `HF_TOKEN` (else the file `HF_TOKEN_PATH`, else `HF_HOME`/token), `HF_HUB_OFFLINE`,
 * `HF_HUB_DOWNLOAD_TIMEOUT` in seconds; and by the names that tools of S3 use `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (else `AWS_DEFAULT_REGION`, else us-east-1) and
 * `AWS_ENDPOINT_URL_S3` (else `AWS_ENDPOINT_URL`). Nothing but the command line reads them.
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
  const [accessKeyId, secretAccessKey] = [set('AWS_ACCESS_KEY_ID'), set('AWS_SECRET_ACCESS_KEY')];
  const sessionToken = set('AWS_SESSION_TOKEN');
  const endpoint = (set('AWS_ENDPOINT_URL_S3') ?? set('AWS_ENDPOINT_URL'))?.replace(/\/+$/, '');
  return {
    ...(variables.SWARD_CACHE && { cacheFolder: variables.SWARD_CACHE }),
    ...(variables.SWARD_PROVIDER && { provider: variables.SWARD_PROVIDER }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        objectStore: {
          accessKeyId,
          secretAccessKey,
          region: set('AWS_REGION') ?? set('AWS_DEFAULT_REGION') ?? 'us-east-1',
          ...(sessionToken !== undefined && { sessionToken }),
          ...(endpoint !== undefined && { endpoint }),
        },
      }),
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
