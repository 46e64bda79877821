import { randomStream } from '../../src/ground/random.ts';
import type { FitContext, MetricLine } from '../../src/learning/estimator.ts';
import type { NetworkSettings } from '../../src/networks/settings/network.ts';
import { networkSettings } from '../../src/networks/settings/network.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { featureRows, type SampleFacts, TrainingSamples, unknownSample } from '../../src/samples/samples.ts';

/** Settings with everything else at its default. */
export const settingsOf = (draft: object): NetworkSettings =>
  networkSettings.parse({ kind: 'network', ...draft });

/** Photos whose masses follow their first features, in six sessions. */
export function smallSet(photos = 24, columns = 8, seed = 1): TrainingSamples {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: photos * columns }, () => random.normal());
  const at = (photo: number, column: number): number => data[photo * columns + column] as number;
  const facts = Array.from({ length: photos }, (_, photo) => ({
    ...unknownSample(String(photo)),
    session: `session ${photo % 6}`,
    group: `session ${photo % 6}`,
    measured: true,
    state: photo % 2 === 0 ? 'Tas' : 'Vic',
    species: photo % 4 === 0 ? null : 'Ryegrass',
    ndvi: photo % 5 === 0 ? null : 0.5 + 0.1 * at(photo, 0),
    heightCentimetres: 5 + at(photo, 1),
  }));
  const targets = Array.from({ length: photos }, (_, photo) =>
    targetsFromComponents({
      green: 30 + 10 * at(photo, 0),
      dead: 10 + 3 * at(photo, 1),
      clover: photo % 3 === 0 ? 0 : 5 + 2 * at(photo, 2),
    }),
  );
  return new TrainingSamples(facts, featureRows({ rows: photos, columns, data }), targets);
}

/** Samples with other facts. */
export const withFacts = (
  samples: TrainingSamples,
  change: (facts: SampleFacts, photo: number) => SampleFacts,
): TrainingSamples =>
  new TrainingSamples(
    samples.facts.map(change),
    { photos: samples.hasPhotos ? samples.photos : null, features: () => samples.features() },
    samples.targets,
  );

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
