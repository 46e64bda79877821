import { join } from 'node:path';
import { z } from 'zod';
import { countOf } from '../../ground/counts.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { readText, reasonOf } from '../../ground/whole-file.ts';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  fittedModel,
  relabelled,
} from '../../learning/estimator.ts';
import { progressWithin } from '../../learning/fit-progress.ts';
import {
  type CovariateSet,
  caseFolder,
  countsKnownBy,
  covariateSets,
  HEIGHT,
  hasReadings,
  knownSet,
  sameSet,
  setWords,
} from '../../pasture/covariates.ts';
import { MASS_NAMES, type Targets } from '../../pasture/targets.ts';
import type { Samples, Split, TrainingSamples } from '../../samples/samples.ts';
import {
  add,
  cast,
  concat,
  greater,
  log,
  logicalAnd,
  maximum,
  slice,
  type Tensor,
  where,
} from '../../tensor/index.ts';
import { writeInner } from '../inner-model.ts';

/** A model of covariates is fitted to at least so many photos of so many visits: of fewer it learns the visits. */
const FEWEST_PHOTOS = 10;
const FEWEST_VISITS = 3;

/** File of a fitted model that names its sets. */
const FILE = 'covariates.json';
const schema = z.strictObject({ sets: z.array(z.array(z.string()).min(1)) });

/** Models by what they are shown. */
interface CaseModels {
  /** Of photos alone, fitted to all of them: the very one of a run without covariates. */
  readonly plain: FittedModel;
  readonly sets: readonly { readonly set: CovariateSet; readonly model: FittedModel }[];
}

/**
 * An estimator that reads covariates of the photos that have them: the inner one is fitted to all photos without, exactly
 * as where there are no covariates, and once more for every set of covariates to the photos that have all of it. A sample
 * is answered by the model of the largest set of which it has every reading; nothing that was not measured is ever
 * supposed.
 *
 * @param names of the covariates; none: the inner estimator itself
 */
export function withCovariates(names: CovariateSet, inner: Estimator): Estimator {
  if (names.length === 0) return inner;
  const sets = covariateSets(names);
  return {
    ...inner,
    async requireData(train, features) {
      await inner.requireData(train, features);
      for (const set of sets) {
        const known = knownItems(train, set);
        if (set.length === 1) requireEnough(train, known, set);
        if (isEnough(train, known)) await inner.requireData(train.take(known).showing(set), features);
      }
    },
    async fit(split, context) {
      const fitting = sets.flatMap((set) => {
        const items = knownItems(split.train, set);
        return isEnough(split.train, items) ? [{ set, items }] : [];
      });
      const part = (index: number): Pick<FitContext, 'onProgress'> =>
        progressWithin(context, index / (fitting.length + 1), (index + 1) / (fitting.length + 1));
      const plain = await inner.fit(split, { ...context, ...part(0) });
      const models: CaseModels['sets'][number][] = [];
      for (const [index, { set, items }] of fitting.entries()) {
        const { checkpointFolder, record, random } = context;
        const model = await inner.fit(shownSplit(split, items, set), {
          random: random.fork(caseFolder(set)),
          record: (line) => record(relabelled(line, `with ${setWords(set)}`)),
          ...part(index + 1),
          ...(checkpointFolder !== undefined && {
            checkpointFolder: join(checkpointFolder, caseFolder(set)),
          }),
        });
        // What is known of all photos is not given up for what is known of some.
        if (MASS_NAMES.every((mass) => model.predicts[mass] || !plain.predicts[mass]))
          models.push({ set, model });
        else await model.release();
      }
      return fitted(names, { plain, sets: models }, split.train);
    },
    async read(folder) {
      const models: CaseModels['sets'][number][] = [];
      for (const set of await readSets(folder)) {
        models.push({ set, model: await inner.read(join(folder, caseFolder(set))) });
      }
      return fitted(names, { plain: await inner.read(folder), sets: models });
    },
  };
}

/** The samples that have every reading of a set. */
function knownItems({ facts }: Samples, set: CovariateSet): number[] {
  return facts.flatMap(({ readings }, item) => (hasReadings(readings, set) ? [item] : []));
}

const visitsOf = ({ groups }: TrainingSamples, items: readonly number[]): number =>
  new Set(items.map((item) => groups[item])).size;

const isEnough = (train: TrainingSamples, items: readonly number[]): boolean =>
  items.length >= FEWEST_PHOTOS && visitsOf(train, items) >= FEWEST_VISITS;

function requireEnough(train: TrainingSamples, items: readonly number[], set: CovariateSet): void {
  if (isEnough(train, items)) return;
  const name = setWords(set);
  throw new UsageError(
    `${name} is known of ${countOf(items.length, 'photo')} of ${countOf(visitsOf(train, items), 'visit')} in a fold's ` +
      `training part, and a model with it needs at least ${FEWEST_PHOTOS} of ${FEWEST_VISITS}; measure it on more ` +
      'visits, or leave it out of --with',
  );
}

function shownSplit({ train, validation }: Split, items: readonly number[], set: CovariateSet): Split {
  const held = validation && knownItems(validation, set);
  return {
    train: train.take(items).showing(set),
    validation: validation && held && held.length > 0 ? validation.take(held).showing(set) : null,
  };
}

/** Asks each model about the samples it is to answer, and puts the answers in their order. */
async function byCase<Answer>(
  { plain, sets }: CaseModels,
  samples: Samples,
  ask: (model: FittedModel, samples: Samples, set: CovariateSet) => Promise<readonly Answer[]>,
): Promise<Answer[]> {
  const names = sets.map(({ set }) => set);
  const used = samples.facts.map(({ readings }) => knownSet(names, readings));
  const answers = new Array<Answer>(samples.count);
  for (const { set, model } of [{ set: [], model: plain }, ...sets]) {
    const items = used.flatMap((own, item) => (sameSet(own, set) ? [item] : []));
    if (items.length === 0) continue;
    const asked = items.length === samples.count ? samples : samples.take(items);
    const some = await ask(model, set.length > 0 ? asked.showing(set) : asked, set);
    items.forEach((item, row) => {
      answers[item] = some[row] as Answer;
    });
  }
  return answers;
}

/** @param trained what the models were fitted to, of those just fitted */
function fitted(names: CovariateSet, cases: CaseModels, trained?: TrainingSamples): FittedModel {
  const { plain, sets } = cases;
  const all = [plain, ...sets.map(({ model }) => model)];
  const ownSets = sets.map(({ set }) => set);
  const can = (what: keyof FittedModel['capabilities']): boolean =>
    all.every(({ capabilities }) => capabilities[what]);
  return fittedModel({
    predicts: plain.predicts,
    covariateSets: ownSets,
    predict: (samples) => byCase(cases, samples, (model, asked) => model.predict(asked)),
    ...(can('dropout') && {
      async sampleDropout(samples, draws, random, first = []) {
        const before = countsKnownBy(first, ownSets);
        const bySample = await byCase(cases, samples, async (model, asked, set) => {
          // Each model has its own samples in turn.
          const own = before.filter(({ covariates }) => sameSet(covariates, set));
          const drawn = await model.sampleDropout(asked, draws, random, own);
          return asked.facts.map((_, row) => drawn.map((masses) => masses[row] as Targets));
        });
        return Array.from({ length: draws }, (_, draw) => bySample.map((own) => own[draw] as Targets));
      },
    }),
    ...(can('sessionsOut') &&
      trained && {
        leaveSessionsOut: () => sessionsOut(cases, trained),
      }),
    ...(can('graph') && {
      graph(under = '') {
        const { viewFeatures, masses } = plain.graph(under);
        const graphs = sets.map(({ set, model }) => ({
          set,
          graph: model.graph(`${under}${caseFolder(set)}.`),
        }));
        const furtherViewFeatures = graphs.flatMap(({ graph }) => graph.viewFeatures ?? []);
        const count = 1 + furtherViewFeatures.length;
        return {
          viewFeatures,
          furtherViewFeatures,
          masses(all, readings) {
            // Where models have backbones of their own, each reads its own features.
            const width = (all.shape[1] as number) / count;
            const own = (place: number): Tensor =>
              count === 1 ? all : slice(all, { 1: [place * width, (place + 1) * width] });
            if (!readings) return masses(all);
            // The largest set has the last word.
            return graphs.reduceRight(
              (answer, { set, graph }, place) =>
                where(
                  isKnownGraph(readings, names, set),
                  cast(graph.masses(own(place + 1), shownGraph(readings, names, set)), 'float64'),
                  answer,
                ),
              cast(masses(own(0)), 'float64'),
            );
          },
        };
      },
    }),
    ...(can('maps') && { maps: (samples) => byCase(cases, samples, (model, asked) => model.maps(asked)) }),
    async write(folder) {
      await plain.write(folder);
      for (const { set, model } of sets) await writeInner(model, folder, caseFolder(set));
      const stored: z.output<typeof schema> = { sets: sets.map(({ set }) => [...set]) };
      await writeFileAtomically(join(folder, FILE), `${JSON.stringify(stored)}\n`);
    },
    async release() {
      for (const model of all) await model.release();
    },
  });
}

/** What would be said of each training sample without its session, by the model that answers it. */
function sessionsOut({ plain, sets }: CaseModels, train: TrainingSamples): Targets[] {
  const answers = [...plain.leaveSessionsOut()];
  for (const { set, model } of sets.toReversed()) {
    const without = model.leaveSessionsOut();
    knownItems(train, set).forEach((item, row) => {
      answers[item] = without[row] as Targets;
    });
  }
  return answers;
}

/** No reading is below: comparisons with what was not measured (NaN) are false. */
const LEAST = -1e30;

const columnOf = (readings: Tensor, names: CovariateSet, name: string): Tensor => {
  const at = names.indexOf(name);
  return slice(readings, { 1: [at, at + 1] });
};

/** Whether every reading of a set was measured. @returns `[batch, 1]` bool */
function isKnownGraph(readings: Tensor, names: CovariateSet, set: CovariateSet): Tensor {
  return set
    .map((name) => greater(columnOf(readings, names, name), LEAST))
    .reduce((a, b) => logicalAnd(a, b));
}

/** `modelScale` of the readings of a set; 0 where one was not measured. @returns `[batch, covariates]` float64 */
function shownGraph(readings: Tensor, names: CovariateSet, set: CovariateSet): Tensor {
  const columns = set.map((name) => {
    const column = cast(columnOf(readings, names, name), 'float64');
    const known = where(greater(column, LEAST), column, 0);
    return name === HEIGHT ? log(add(maximum(known, 0), 1)) : known;
  });
  const [only] = columns;
  return only && columns.length === 1 ? only : concat(columns, 1);
}

/** The sets of a written model. @throws InputError when the file is missing or damaged */
async function readSets(folder: string): Promise<CovariateSet[]> {
  const path = join(folder, FILE);
  try {
    return schema.parse(JSON.parse(await readText(path))).sets;
  } catch (error) {
    throw new InputError(path, `cannot be read (${reasonOf(error)})`, 'train the run again');
  }
}
