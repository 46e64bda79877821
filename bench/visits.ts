import { join } from 'node:path';
import { FEWEST_REGRESSED, regressionMean } from '../src/farm/double-sampling.ts';
import { type ResidualVariances, residualVariances } from '../src/farm/residual-variances.ts';
import { type VisitMean, visitMean } from '../src/farm/visit-mean.ts';
import { SILENT } from '../src/ground/progress.ts';
import { type RandomStream, randomStream } from '../src/ground/random.ts';
import { mean } from '../src/ground/statistics.ts';
import { groupBySession } from '../src/pasture/intervals/index.ts';
import { weightedR2 } from '../src/pasture/metric.ts';
import type { Targets } from '../src/pasture/targets.ts';
import { makeRecipe } from '../src/recipes/recipe.ts';
import type { Recipe } from '../src/recipes/recipe-schema.ts';
import { recipeEstimator } from '../src/recipes/registry.ts';
import { fitFold, predictFold } from '../src/runs/cross-validation.ts';
import { completePlan } from '../src/runs/fold-plan.ts';
import { readTrainingData, type TrainingSource } from '../src/runs/training-data.ts';

const features = join(process.env.SWARD_SHARED ?? '../shared', 'csiro', 'features');
const SOURCE: TrainingSource = {
  kind: 'features',
  features: ['dinov2_vits14.npy', 'convnext_tiny.npy'].map((name) => join(features, name)),
  ids: join(features, 'ids.txt'),
  labels: join(features, 'train.csv'),
};

/** Cuts a visit, as far as a person makes them. */
const CUTS = [0, 1, 2, 3, 5] as const;
/** A visit of fewer photos is left out: its mean is hardly one. */
const FEWEST_PHOTOS = 8;
/** Frames that stand for a paddock, where intervals are tried. */
const FRAMES = 6;
const COVERAGE = 0.9;
const DRAWS = 2000;
const SEED = 1;

/** A photo whose session had no part in the model that estimated it; Total, grams. */
interface Photo {
  readonly session: string;
  readonly estimate: number;
  readonly cut: number;
  readonly residual: number;
}

/** How the mean of a visit is made of all its photos, of which the first `cuts` are cut. */
type Method = (photos: readonly Photo[], cuts: number, variances: ResidualVariances) => number;

function meanOf(photos: readonly Photo[], cuts: number, variances: ResidualVariances): VisitMean {
  const frames = photos.map(({ estimate, cut }, at) => ({ estimate, cut: at < cuts ? cut : null }));
  return visitMean(frames, { coverage: COVERAGE, variances, run: 'feature-average' });
}

const METHODS: Readonly<Record<string, Method>> = {
  'photos and cuts': (photos, cuts, variances) => {
    return meanOf(photos, cuts, variances).mean;
  },
  'without shrinking': (photos, cuts) => {
    const shift = cuts > 0 ? mean(photos.slice(0, cuts).map(({ residual }) => residual)) : 0;
    return mean(photos.map(({ cut, estimate }, at) => (at < cuts ? cut : estimate + shift)));
  },
  'double sampling': (photos, cuts) =>
    cuts < FEWEST_REGRESSED
      ? Number.NaN
      : regressionMean(
          photos.map(({ estimate }) => estimate),
          photos.slice(0, cuts),
        ).mean,
  'cuts alone': (photos, cuts) => mean(photos.slice(0, cuts).map(({ cut }) => cut)),
};

/** Root mean square errors of a visit's mean Total, grams, by method and number of cuts. */
interface Figures {
  readonly photos: number;
  readonly sessions: number;
  readonly visits: number;
  readonly weightedR2: number;
  readonly variances: { readonly between: number; readonly within: number };
  readonly rmse: Readonly<Record<string, readonly (number | null)[]>>;
  /** Share of draws of six frames whose 90 % interval holds the mean of all the visit's cuts, by number of cuts. */
  readonly held: readonly number[];
}

/**
 * What photos, and photos with heights, are worth beside cuts: each session is estimated by models that were trained on
 * the others, m random photos of a visit are cut, and the mean of the visit is compared with the mean of all its cuts. The variances
 * that shrink a visit's mean residual are those of the other sessions.
 */
export async function run(): Promise<Readonly<Record<string, Figures>>> {
  return {
    'photos alone': await figuresOf(await makeRecipe('feature-average')),
    'with height': await figuresOf(await makeRecipe('feature-average', { covariates: ['height'] })),
  };
}

async function figuresOf(recipe: Recipe): Promise<Figures> {
  const probe = await readTrainingData(SOURCE, recipe, completePlan({}), SILENT);
  const sessions = new Set(probe.rows.map(({ group }) => group)).size;
  const { rows, samples } = await readTrainingData(SOURCE, recipe, completePlan({ folds: sessions }), SILENT);
  const folds = rows.map(({ fold }) => fold);
  const predicted = new Array<Targets>(samples.count);
  const estimator = recipeEstimator(recipe);
  for (const fold of new Set(folds)) {
    const { model } = await fitFold({ estimator, samples }, folds, fold, randomStream(SEED));
    await predictFold(model, samples, folds, fold, predicted);
    await model.release();
  }
  const photos = samples.facts.map(({ session }, item): Photo => {
    const [estimate, cut] = [
      predicted[item]?.total ?? Number.NaN,
      samples.targets[item]?.total ?? Number.NaN,
    ];
    return { session, estimate, cut, residual: cut - estimate };
  });
  const visits = groupBySession(photos).filter(({ length }) => length >= FEWEST_PHOTOS);
  const { betweenSessions, withinSessions } = residualVariances(photos);
  const figures: Figures = {
    photos: photos.length,
    sessions,
    visits: visits.length,
    weightedR2: weightedR2(samples.observed, predicted),
    variances: { between: betweenSessions, within: withinSessions },
    ...measured(visits, photos, randomStream(SEED)),
  };
  report(recipe, figures);
  return figures;
}

function measured(
  visits: readonly (readonly Photo[])[],
  all: readonly Photo[],
  random: RandomStream,
): Pick<Figures, 'rmse' | 'held'> {
  const tried = visits.map((photos) => ({
    photos,
    truth: mean(photos.map(({ cut }) => cut)),
    variances: residualVariances(all.filter(({ session }) => session !== photos[0]?.session)),
    name: photos[0]?.session ?? '',
  }));
  /** The mean over visits, and draws of each visit's photos, which are the same for all that is asked. */
  const overDraws = (
    cuts: number,
    ask: (drawn: readonly Photo[], visit: (typeof tried)[number]) => number,
  ): number =>
    mean(
      tried.map((visit) => {
        const stream = random.fork(`${visit.name} ${cuts}`);
        const draws = Array.from({ length: DRAWS }, () => stream.shuffled(visit.photos));
        return mean(draws.map((drawn) => ask(drawn, visit)));
      }),
    );
  return {
    rmse: Object.fromEntries(
      Object.entries(METHODS).map(([name, method]) => [
        name,
        CUTS.map((cuts) => {
          const square = overDraws(
            cuts,
            (drawn, { truth, variances }) => (method(drawn, cuts, variances) - truth) ** 2,
          );
          return Number.isNaN(square) ? null : Math.sqrt(square);
        }),
      ]),
    ),
    held: CUTS.map((cuts) =>
      overDraws(cuts, (drawn, { truth, variances }) => {
        const { interval } = meanOf(drawn.slice(0, FRAMES), cuts, variances);
        return interval && truth >= interval.low && truth <= interval.high ? 1 : 0;
      }),
    ),
  };
}

function report(
  { covariates = [] }: Recipe,
  { photos, sessions, visits, weightedR2: score, variances, rmse, held }: Figures,
): void {
  const { between, within } = variances;
  process.stderr.write(
    `visits: ${photos} photos${covariates.map((name) => `, ${name}`).join('')}, ${sessions} sessions left out in turn, weighted R² ${score.toFixed(3)}; residuals of Total ` +
      `between / within sessions ${between.toFixed(0)} / ${within.toFixed(0)} g²\n` +
      `visits: error of the mean Total of ${visits} visits of ${FEWEST_PHOTOS} photos or more, g, ${DRAWS} draws\n` +
      `visits: ${'cuts'.padEnd(18)}${CUTS.map((cuts) => String(cuts).padStart(7)).join('')}\n`,
  );
  for (const [name, errors] of Object.entries(rmse)) {
    const cells = errors.map((error) => (error === null ? '–' : error.toFixed(2)).padStart(7));
    process.stderr.write(`visits: ${name.padEnd(18)}${cells.join('')}\n`);
  }
  process.stderr.write(
    `visits: ${COVERAGE * 100} % intervals of ${FRAMES} frames hold the mean of all cuts, %: ${held.map((share) => (100 * share).toFixed(1)).join(', ')}\n`,
  );
}
