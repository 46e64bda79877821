import { randomStream } from '../../src/ground/random.ts';
import { type Score, scoreTargets } from '../../src/pasture/metric.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import type { OutOfFoldRow, RunResults } from '../../src/runs/results.ts';

/** All five masses from the three fractions. */
export function masses(green: number, dead: number, clover: number): Targets {
  return { green, dead, clover, gdm: green + clover, total: green + clover + dead };
}

const STATES = ['NSW', 'Tas', 'Vic', 'WA'];
const SPECIES = ['Ryegrass_Clover', 'Ryegrass', 'Phalaris_Clover', 'Lucerne', 'Fescue'];

/** Seeded rows of several sessions, with predictions that shrink to the mean and miss by session. */
export function inventedRows(count: number, seed = 1): OutOfFoldRow[] {
  const random = randomStream(seed);
  return Array.from({ length: count }, (_, index) => {
    const session = index % 12;
    const observed = masses(60 * random.uniform(), 30 * random.uniform(), 20 * random.uniform());
    const guess = (mass: number): number => Math.max(0, 5 + 0.8 * mass + 6 * random.normal());
    return {
      imageId: `ID${1000 + index}`,
      photoPath: null,
      fold: session % 5,
      session: `visit ${session}`,
      observed,
      predicted: masses(guess(observed.green), guess(observed.dead), guess(observed.clover)),
      date: `2015-${String(12 - session).padStart(2, '0')}-04`,
      state: STATES[session % STATES.length] ?? null,
      species: SPECIES[index % SPECIES.length] ?? null,
    };
  });
}

/** Score of rows by the product's own metric. */
export function scoreOf(rows: readonly OutOfFoldRow[]): Score {
  return scoreTargets(
    rows.map((row) => row.observed),
    rows.map((row) => row.predicted),
  );
}

/** A whole run from its rows; `changes` replaces members. */
export function runResults(rows: readonly OutOfFoldRow[], changes: Partial<RunResults> = {}): RunResults {
  const folds = [...new Set(rows.map((row) => row.fold))].sort((a, b) => a - b);
  return {
    recipeName: 'descriptor-ridge',
    outOfFold: scoreOf(rows),
    perFold: folds.map((fold) => ({ fold, score: scoreOf(rows.filter((row) => row.fold === fold)) })),
    leaveOneStateOut: null,
    rows,
    curves: [],
    settings: { name: 'descriptor-ridge', penalty: { grid: [0.1, 1, 10] } },
    provenance: { seed: '42', 'data fingerprint': 'ab'.repeat(32) },
    ...changes,
  };
}
