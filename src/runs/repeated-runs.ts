import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A run of a repeated cross-validation. */
export interface SeedRun {
  readonly run: string;
  readonly seed: number;
}

/** The folder of one seed's run. */
export function seedFolder(out: string, seed: number): string {
  return join(out, `seed-${seed}`);
}

/** The runs by seed in a folder that `sward train --seeds` wrote, in order of seed; none in any other folder. */
export async function seedRuns(folder: string): Promise<SeedRun[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => {
      const seed = /^seed-(\d+)$/.exec(name)?.[1];
      return seed === undefined ? [] : [{ run: join(folder, name), seed: Number(seed) }];
    })
    .sort((a, b) => a.seed - b.seed);
}
