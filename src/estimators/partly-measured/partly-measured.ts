import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { readTextIfThere, reasonOf } from '../../ground/whole-file.ts';
import { type Estimator, type FittedModel, fittedModel } from '../../learning/estimator.ts';
import { isComplete, massesIn, massesKnownOf } from '../../pasture/partial.ts';
import { absentFractions, type ComponentName, substituted } from '../../pasture/substitute.ts';
import { type ByMass, byMass, MASS_NAMES, type Targets, targetsToArray } from '../../pasture/targets.ts';
import type { Split, TrainingSamples } from '../../samples/samples.ts';
import { constant, multiply } from '../../tensor/index.ts';
import { completedMasses } from './complete.ts';

/** File of a model that does not predict all masses. */
const FILE = 'masses.json';

const schema = z.strictObject({ masses: z.array(z.enum(MASS_NAMES)).min(1) });

/**
 * An estimator that learns from photos of which some masses were not measured (NaN). Masses that are known of no photo
 * are done without (`absentFractions`), and its models predict NaN for them. Where masses are known of some photos only,
 * an estimator is given the rest by `completedMasses`, but for one whose loss passes over gaps. Scores on the way are by
 * what was measured. With all masses of all photos it is the inner estimator itself.
 */
export function partlyMeasured(inner: Estimator): Estimator {
  const plain = (train: TrainingSamples): TrainingSamples =>
    train.targets.every(isComplete) ? train : asSubstitute(train, absentOf(train));
  return {
    ...inner,
    requireData: (train, sets) => inner.requireData(plain(train), sets),
    async fit(split, context) {
      if (bothSides(split).every(({ targets }) => targets.every(isComplete))) {
        return inner.fit(split, context);
      }
      const known = massesKnownOf(split.train.targets);
      const absent = absentFractions(known);
      const train = asSubstitute(split.train, absent);
      const validation = split.validation && asSubstitute(split.validation, absent);
      const completed = inner.passesGaps ? train : await withoutGaps(train);
      const model = await inner.fit({ train: completed, validation }, context);
      return absent.length > 0 ? ofSomeMasses(model, known) : model;
    },
    async read(folder) {
      const model = await inner.read(folder);
      const known = await readMasses(folder);
      return known ? ofSomeMasses(model, known) : model;
    },
  };
}

const bothSides = ({ train, validation }: Split): TrainingSamples[] =>
  validation ? [train, validation] : [train];

const absentOf = ({ targets }: TrainingSamples): ComponentName[] => absentFractions(massesKnownOf(targets));

/** Samples in the plainer sward; they are scored by what was measured all the same. */
function asSubstitute(samples: TrainingSamples, absent: readonly ComponentName[]): TrainingSamples {
  return samples.withTargets(
    samples.targets.map((masses) => substituted(masses, absent)),
    samples.observed,
  );
}

async function withoutGaps(train: TrainingSamples): Promise<TrainingSamples> {
  if (train.targets.every(isComplete)) return train;
  return train.withTargets(completedMasses(await train.rows()), train.observed);
}

/** A model whose other masses nobody taught it. */
function ofSomeMasses(inner: FittedModel, known: ByMass<boolean>): FittedModel {
  const { dropout, sessionsOut, maps } = inner.capabilities;
  const only = (masses: Targets): Targets => byMass((mass) => (known[mass] ? masses[mass] : Number.NaN));
  return fittedModel({
    predicts: known,
    predict: async (samples) => (await inner.predict(samples)).map(only),
    ...(dropout && {
      sampleDropout: async (samples, draws, random, first) =>
        (await inner.sampleDropout(samples, draws, random, first)).map((draw) => draw.map(only)),
    }),
    ...(sessionsOut && { leaveSessionsOut: () => inner.leaveSessionsOut().map(only) }),
    // As in a stack, where a mass that a member was not taught counts as 0.
    ...(inner.capabilities.graph && {
      graph: (under) => {
        const { masses, ...backbones } = inner.graph(under);
        const taught = targetsToArray(byMass((mass) => (known[mass] ? 1 : 0)));
        return {
          ...backbones,
          masses: (features, covariates) => {
            const said = masses(features, covariates);
            return multiply(said, constant(taught, [1, taught.length], said.dtype));
          },
        };
      },
    }),
    // A map is of the total.
    ...(maps && known.total && { maps: (samples) => inner.maps(samples) }),
    async write(folder) {
      await inner.write(folder);
      await writeFileAtomically(
        join(folder, FILE),
        `${JSON.stringify({ masses: massesIn(known) } satisfies z.output<typeof schema>)}\n`,
      );
    },
    release: () => inner.release(),
  });
}

/** Null where the model predicts all. @throws InputError when the file is damaged */
async function readMasses(folder: string): Promise<ByMass<boolean> | null> {
  const path = join(folder, FILE);
  const text = await readTextIfThere(path);
  if (text === null) return null;
  try {
    const { masses } = schema.parse(JSON.parse(text));
    return byMass((mass) => masses.includes(mass));
  } catch (error) {
    const what = `cannot be read (${reasonOf(error)})`;
    throw new InputError(path, what, 'train the run again');
  }
}
