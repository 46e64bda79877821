import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { randomStream } from '../../src/ground/random.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { TARGET_NAMES, targetsToArray } from '../../src/pasture/targets.ts';
import type { TrainingSource } from '../../src/runs/training-data.ts';

/** Files of a small feature set with labels. */
export interface SmallFeatureFiles {
  readonly ids: string;
  readonly labels: string;
  /** Feature files of the same photos, each seeing the masses through other noise. */
  readonly features: readonly string[];
}

/** One of the feature files, as training takes it. */
export const featureSource = (
  { ids, labels, features }: SmallFeatureFiles,
  file: number,
): Extract<TrainingSource, { kind: 'features' }> => ({
  kind: 'features',
  features: [features[file] ?? ''],
  ids,
  labels,
});

/**
 * Writes labels of photos in ten sessions of two States, and feature files of six columns that tell the masses
 * through noise of their own.
 */
export async function writeSmallFeatures(
  folder: string,
  photos: number,
  files: number,
): Promise<SmallFeatureFiles> {
  mkdirSync(folder, { recursive: true });
  const random = randomStream(11);
  const names = Array.from({ length: photos }, (_, photo) => `ID${100 + photo}`);
  const masses = names.map(() =>
    targetsFromComponents({
      green: 60 * random.uniform(),
      dead: 30 * random.uniform(),
      clover: 20 * random.uniform(),
    }),
  );
  const lines = names.flatMap((name, photo) => {
    const session = photo % 10;
    const meta = `2015/${session + 1}/4,${session % 2 === 0 ? 'WA' : 'Vic'}`;
    const values = masses[photo] ? targetsToArray(masses[photo]) : [];
    return TARGET_NAMES.map((target, column) => `${name}__${target},${meta},${values[column]}`);
  });
  const labels = join(folder, 'train.csv');
  writeFileSync(labels, `sample_id,Sampling_Date,State,target\n${lines.join('\n')}\n`);
  const ids = join(folder, 'ids.txt');
  writeFileSync(ids, `${names.join('\n')}\n`);
  const features: string[] = [];
  for (let file = 0; file < files; file++) {
    const data = Float64Array.from(
      masses.flatMap(({ green, dead, clover }) =>
        [green, dead, clover, green, dead, clover].map((mass) => mass / 10 + random.normal()),
      ),
    );
    const path = join(folder, `features-${file}.npy`);
    await writeNpyFloat32(path, { rows: photos, columns: 6, data });
    features.push(path);
  }
  return { ids, labels, features };
}
