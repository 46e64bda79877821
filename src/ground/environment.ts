import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the Hugging Face hub is, where its files are kept, and how patient to be. */
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

/** Who asks a store of objects that speaks as S3 does, and where it is. */
export interface ObjectStoreSettings {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  /** Without a slash at the end; default Amazon's of the region. */
  readonly endpoint?: string;
}

/** What of the machine a program runs on decides where things are kept and computed, and never what comes out. */
export interface Environment {
  /** Where sward keeps what it can compute again. Default `~/.cache/sward`. */
  readonly cacheFolder: string;
  /** ONNX Runtime's execution provider for frozen backbones: `cpu` (the default), `cuda` or `webgpu`. */
  readonly provider: string;
  /** Whether what is computed of a photo is kept in the cache for the next time. Default true. */
  readonly rememberPhotos?: boolean;
  /** Threads of one operator of a network that says nothing else. Default: ONNX Runtime's choice, one a physical core. */
  readonly threads?: number;
  /** Default: the public hub and its tools' own folders, with the token that logging in leaves there. */
  readonly hub: HubSettings;
  /** Files that another machine has sent, below `root`, by their paths there; relative ones are from `folder`. */
  readonly moved?: { readonly root: string; readonly folder: string } | null;
  /** Absent: `s3://` cannot be read or written. */
  readonly objectStore?: ObjectStoreSettings;
}

let configured: Partial<Environment> = {};

/**
 * Sets what {@link environment} answers from now on, all else as it was. The one piece of state a module keeps:
 * an entry point (the command line, a server, a program that uses the library) calls this once before anything
 * else, in place of handing a cache folder through every function that may come to need one.
 */
export function configure(changes: Partial<Environment>): void {
  configured = { ...configured, ...changes };
}

/** As configured, else the defaults. No variable of the process is read here: that is the command line's to do. */
export function environment(): Environment {
  return {
    cacheFolder: join(homedir(), '.cache', 'sward'),
    provider: 'cpu',
    hub: configured.hub ?? hubIn(join(homedir(), '.cache', 'huggingface')),
    ...configured,
  };
}

/** The public hub, with Hugging Face's own folder (`HF_HOME`) in the given place. */
export function hubIn(home: string): HubSettings {
  return {
    endpoint: 'https://huggingface.co',
    cacheFolder: join(home, 'hub'),
    token: tokenIn(join(home, 'token')),
    offline: false,
    stallMilliseconds: 30_000,
    retryMilliseconds: [500, 1_000, 2_000, 4_000],
  };
}

/** The token that logging in left in a file. */
export function tokenIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    // Most people have no token and need none; a repository that wants one says so.
    return undefined;
  }
}
