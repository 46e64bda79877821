import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { FitContext, MetricLine, TrainingSet } from '../../../src/learning/estimator.ts';
import type { NetworkSettings } from '../../../src/networks/network/settings.ts';
import { networkSettings } from '../../../src/networks/network/settings.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';

/** Settings with everything else at its default. */
export const settingsOf = (draft: object): NetworkSettings =>
  networkSettings.parse({ kind: 'network', ...draft });

/** Photos whose masses follow their first features, in six sessions. */
export function smallSet(photos = 24, columns = 8, seed = 1): TrainingSet<Matrix> {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: photos * columns }, () => random.normal());
  const at = (photo: number, column: number): number => data[photo * columns + column] as number;
  return {
    inputs: { rows: photos, columns, data },
    targets: Array.from({ length: photos }, (_, photo) =>
      targetsFromComponents({
        green: 30 + 10 * at(photo, 0),
        dead: 10 + 3 * at(photo, 1),
        clover: photo % 3 === 0 ? 0 : 5 + 2 * at(photo, 2),
      }),
    ),
    groups: Array.from({ length: photos }, (_, photo) => `session ${photo % 6}`),
    attributes: Array.from({ length: photos }, (_, photo) => ({
      state: photo % 2 === 0 ? 'Tas' : 'Vic',
      species: photo % 4 === 0 ? null : 'Ryegrass',
      ndvi: photo % 5 === 0 ? null : 0.5 + 0.1 * at(photo, 0),
      heightCentimetres: 5 + at(photo, 1),
    })),
  };
}

/** A context that remembers what was recorded. */
export function contextOf(
  seed: number,
  checkpointFolder?: string,
): FitContext & { readonly lines: MetricLine[] } {
  const lines: MetricLine[] = [];
  return {
    lines,
    random: randomStream(seed),
    record: (line) => lines.push(line),
    ...(checkpointFolder !== undefined && { checkpointFolder }),
  };
}
