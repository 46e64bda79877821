import { UsageError } from '../ground/errors.ts';
import type { CutStep } from './cut.ts';
import { isConstant } from './dry-matter.ts';
import { instantOf } from './identity.ts';

/** The kinds of step, in the order they are taken in. */
export const STEP_KINDS = [
  'frame-placed',
  'wet-weighed',
  'subsampled',
  'drying-started',
  'dry-weighed',
  'sorted',
] as const satisfies readonly CutStep['kind'][];

type StepOf<Kind extends CutStep['kind']> = Extract<CutStep, { kind: Kind }>;

/** How far a cut is. `bare`: nothing grew in the frame; `dry`: weighed dry until the weight stayed. */
export type CutStage =
  | 'begun'
  | 'frame-placed'
  | 'wet-weighed'
  | 'bare'
  | 'subsampled'
  | 'drying'
  | 'dry-weighed'
  | 'dry'
  | 'sorted';

/** What is known of a cut. */
export interface CutState {
  readonly stage: CutStage;
  readonly frame: StepOf<'frame-placed'> | null;
  readonly wet: StepOf<'wet-weighed'> | null;
  readonly subsample: StepOf<'subsampled'> | null;
  readonly drying: StepOf<'drying-started'> | null;
  readonly dryWeighings: readonly StepOf<'dry-weighed'>[];
  readonly sorted: StepOf<'sorted'> | null;
}

/** A cut of which nothing is known yet. */
export const NEW_CUT: CutState = {
  stage: 'begun',
  frame: null,
  wet: null,
  subsample: null,
  drying: null,
  dryWeighings: [],
  sorted: null,
};

/** Sorted fractions may weigh so much more than what was sorted: scales round, each fraction anew. */
const SCALE_GRAMS = 0.5;

/** A sub-sample of all that was cut: what two weights differ by is told to half of the last digit of a scale, no better. */
const LAST_DIGIT_GRAMS = 0.05;

/**
 * The cut after one more step.
 *
 * @throws UsageError when the step cannot follow, or says what cannot be; what to do is in the message
 */
export function afterStep(state: CutState, step: CutStep): CutState {
  switch (step.kind) {
    case 'frame-placed':
      return framePlaced(state, step);
    case 'wet-weighed':
      return wetWeighed(state, step);
    case 'subsampled':
      return subsampled(state, step);
    case 'drying-started':
      return dryingStarted(state, step);
    case 'dry-weighed':
      return dryWeighed(state, step);
    case 'sorted':
      return sorted(state, step);
  }
}

const once = 'correct or withdraw what was written first';

function framePlaced(state: CutState, step: StepOf<'frame-placed'>): CutState {
  if (state.frame) throw new UsageError(`the frame was placed already; ${once}`);
  return { ...state, stage: 'frame-placed', frame: step };
}

function wetWeighed(state: CutState, step: StepOf<'wet-weighed'>): CutState {
  if (!state.frame)
    throw new UsageError('the cut is weighed after its frame is placed; say where, how large, how low');
  if (state.wet) throw new UsageError(`the cut was weighed wet already; ${once}`);
  const { grossGrams, bagGrams, tared } = step;
  if (tared && bagGrams > 0) {
    throw new UsageError(
      `a scale that was tared with the bag does not weigh its ${bagGrams} g; give 0 g, or say it was not tared`,
    );
  }
  if (bagGrams > grossGrams) {
    throw new UsageError(
      `the bag (${bagGrams} g) is heavier than bag and cut together (${grossGrams} g); weigh again`,
    );
  }
  return { ...state, stage: grossGrams > bagGrams ? 'wet-weighed' : 'bare', wet: step };
}

function subsampled(state: CutState, step: StepOf<'subsampled'>): CutState {
  if (!state.wet) throw new UsageError('a sub-sample is taken after the cut is weighed; weigh the cut first');
  if (state.stage === 'bare')
    throw new UsageError('nothing was cut in this frame, so there is nothing to dry');
  if (state.subsample) throw new UsageError(`the sub-sample was weighed already; ${once}`);
  const net = state.wet.grossGrams - state.wet.bagGrams;
  if (!(step.wetGrams > 0)) throw new UsageError('a sub-sample of 0 g cannot be dried; weigh it again');
  if (grams(step.wetGrams - net) > LAST_DIGIT_GRAMS) {
    throw new UsageError(
      `the sub-sample (${step.wetGrams} g) is heavier than the cut it is of (${grams(net)} g); weigh again without its bag`,
    );
  }
  return { ...state, stage: 'subsampled', subsample: step };
}

function dryingStarted(state: CutState, step: StepOf<'drying-started'>): CutState {
  if (!state.subsample)
    throw new UsageError('drying begins after the sub-sample is weighed; weigh it wet first');
  if (state.drying) throw new UsageError(`drying has begun already; ${once}`);
  if ((step.method === 'oven') !== (step.celsius !== null)) {
    throw new UsageError('an oven has a temperature and a microwave has none; give it for an oven only');
  }
  return { ...state, stage: 'drying', drying: step };
}

function dryWeighed(state: CutState, step: StepOf<'dry-weighed'>): CutState {
  const { subsample, drying, dryWeighings } = state;
  if (!subsample || !drying)
    throw new UsageError('a dry weight comes after drying has begun; say when it did');
  if (state.sorted) throw new UsageError(`the sub-sample is sorted, so it cannot be weighed whole; ${once}`);
  if (step.dryGrams > subsample.wetGrams) {
    throw new UsageError(
      `dry (${step.dryGrams} g) is heavier than wet (${subsample.wetGrams} g); weigh again without the bag`,
    );
  }
  if (!(step.dryGrams > 0)) throw new UsageError('a dried sub-sample weighs more than 0 g; weigh it again');
  const before = dryWeighings.at(-1);
  const constant =
    before !== undefined &&
    isConstant(
      timed(before),
      timed(step),
      { method: drying.method, begunMilliseconds: instantOf(drying.at) },
      subsample.wetGrams,
    );
  return {
    ...state,
    stage: constant ? 'dry' : 'dry-weighed',
    dryWeighings: [...dryWeighings, step],
  };
}

function sorted(state: CutState, step: StepOf<'sorted'>): CutState {
  if (state.sorted) throw new UsageError(`the sub-sample was sorted already; ${once}`);
  const whole = state.dryWeighings.at(-1);
  if (state.stage !== 'dry' || !whole) {
    throw new UsageError(
      'fractions are weighed when the sub-sample is dry; dry it on and weigh it until its weight stays',
    );
  }
  const sum = sortedGrams(step);
  if (!(sum > 0)) throw new UsageError('the fractions weigh 0 g together; weigh them again');
  if (grams(sum - whole.dryGrams) > SCALE_GRAMS) {
    throw new UsageError(
      `the fractions weigh ${grams(sum)} g together, more than the ${whole.dryGrams} g that were sorted; weigh again`,
    );
  }
  return { ...state, stage: 'sorted', sorted: step };
}

/** What sorted fractions weigh together, g. */
export function sortedGrams({ greenGrams, deadGrams, cloverGrams }: StepOf<'sorted'>): number {
  return greenGrams + deadGrams + cloverGrams;
}

const timed = ({ at, dryGrams }: StepOf<'dry-weighed'>): { milliseconds: number; grams: number } => ({
  milliseconds: instantOf(at),
  grams: dryGrams,
});

/** Without the digits that differences of decimal fractions leave. */
const grams = (value: number): number => Number(value.toFixed(2));
