import type { PoolSettings } from '../inference/pool.ts';

/** How a farm's server is run. */
export interface ServerSettings {
  /** The farm's folder. */
  readonly data: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Run that answers from now on: a folder or a name of `sward models`; absent: the one chosen last, at first the starter. */
  readonly run?: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Whether a reverse proxy stands before it, whose word on address and protocol of a caller counts. */
  readonly behindProxy: boolean;
  /** Where phones reach the server, `https://farm.example.org`; absent: as who asks has reached it. */
  readonly publicUrl?: string;
  /** Whether a new owner link is wanted though there is an owner. */
  readonly ownerLink: boolean;
  readonly pool: PoolSettings;
  /** Largest photo, bytes. */
  readonly photoBytes: number;
  /** Largest run, unpacked, bytes. */
  readonly runBytes: number;
  /** What is to stay free on the disk, bytes. */
  readonly reserveBytes: number;
}

/** What is used where nothing else is said; sizes in powers of 1024. */
export const DEFAULT_SETTINGS = {
  host: '127.0.0.1',
  port: 8080,
  behindProxy: false,
  ownerLink: false,
  photoBytes: 40 * 2 ** 20,
  runBytes: 4 * 2 ** 30,
  reserveBytes: 200 * 2 ** 20,
} as const;

/** Pool of so many processes, whose queue is what they do in a few seconds. */
export function poolOf(workers: number): PoolSettings {
  return {
    workers,
    queue: 8 * workers,
    taskMilliseconds: 60_000,
    heapMebibytes: 1024,
    residentMebibytes: 2048,
  };
}
