import { join } from 'node:path';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';
import { changedSplit, type TrainingSamples } from '../../samples/samples.ts';
import { divide, greater, maximum, multiply, slice, type Tensor, where } from '../../tensor/index.ts';
import { writeInner } from '../inner-model.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';

const TOTAL = 'total';
const SHARES = 'shares';

/**
 * Shares are fitted as grams in a sward of this total, about that of the competition's photos, so that settings
 * made for grams (the corner of a Huber loss, a penalty on leaves) suit them.
 */
const REFERENCE_TOTAL_GRAMS = 50;

/**
 * Learns the total, and apart from it what the sward is made of: one model of the masses, of which the total is
 * kept, and one of the shares of green, dead and clover, which are scaled to sum to 1. Masses are total × share.
 * Photos without any mass fit no shares.
 */
export function composition(inner: Estimator): Estimator {
  return rowEstimator({
    requireData: (train, sets) => inner.requireData(train, sets),
    async fit(split, context) {
      const total = await inner.fit(split, { ...context, random: context.random.fork(TOTAL) });
      const shares = await inner.fit(changedSplit(split, asShares), {
        random: context.random.fork(SHARES),
        record: () => {},
      });
      return fitted(total, shares);
    },
    async read(folder) {
      return fitted(await inner.read(join(folder, TOTAL)), await inner.read(join(folder, SHARES)));
    },
  });
}

function asShares(samples: TrainingSamples): TrainingSamples {
  const share = ({ green, dead, clover, total }: Targets): Targets => {
    const scale = total > 0 ? REFERENCE_TOTAL_GRAMS / total : 0;
    return targetsFromComponents({ green: scale * green, dead: scale * dead, clover: scale * clover });
  };
  return samples.withTargets(samples.targets.map(share));
}

/** Total × shares; where no share is above zero the first model's own parts stand. */
function composed(masses: Targets, shares: Targets): Targets {
  if (!(shares.total > 0)) return masses;
  const scale = masses.total / shares.total;
  return targetsFromComponents({
    green: scale * shares.green,
    dead: scale * shares.dead,
    clover: scale * shares.clover,
  });
}

/** {@link composed} as a graph. */
function composedGraph(masses: Tensor, shares: Tensor): Tensor {
  const parts = (all: Tensor): Tensor => slice(all, { 1: [0, 3] });
  const total = (all: Tensor): Tensor => slice(all, { 1: [4, 5] });
  const scale = divide(total(masses), maximum(total(shares), Number.MIN_VALUE));
  return massesFromComponents(
    where(greater(total(shares), 0), multiply(parts(shares), scale), parts(masses)),
  );
}

function fitted(total: FittedModel, shares: FittedModel): FittedModel {
  return fittedModel({
    ...(total.capabilities.graph &&
      shares.capabilities.graph && {
        graph(under = '') {
          const [masses, parts] = [total.graph(`${under}${TOTAL}.`), shares.graph(`${under}${SHARES}.`)];
          return {
            masses: (features, covariates) =>
              composedGraph(masses.masses(features, covariates), parts.masses(features, covariates)),
            viewFeatures: masses.viewFeatures,
          };
        },
      }),
    async predict(samples) {
      const masses = await total.predict(samples);
      const parts = await shares.predict(samples);
      return masses.map((own, row) => composed(own, parts[row] as Targets));
    },
    async write(folder) {
      await writeInner(total, folder, TOTAL);
      await writeInner(shares, folder, SHARES);
    },
    async release() {
      await total.release();
      await shares.release();
    },
  });
}
