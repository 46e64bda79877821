import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterStep, type CutState, NEW_CUT, STEP_KINDS } from '../../src/farm/cut-state.ts';
import { bagKgDmPerHa } from '../../src/farm/dry-matter.ts';
import {
  type CutEvent,
  type CutStep,
  cutHistory,
  cutResult,
  cutWarnings,
  mergedEvents,
  withEvent,
} from '../../src/farm/index.ts';
import { hour, uuid } from './records.ts';

const frame: CutStep = {
  kind: 'frame-placed',
  at: hour(0),
  frameAreaSquareMetres: 0.25,
  cuttingHeightCentimetres: 0,
  position: null,
};
const wet: CutStep = { kind: 'wet-weighed', at: hour(0.1), grossGrams: 250, bagGrams: 50, tared: false };
const subsample: CutStep = { kind: 'subsampled', at: hour(0.2), wetGrams: 100 };
const drying: CutStep = { kind: 'drying-started', at: hour(3), method: 'oven', celsius: 80 };
const dry = (hours: number, dryGrams: number): CutStep => ({
  kind: 'dry-weighed',
  at: hour(hours),
  dryGrams,
});
const fractions: CutStep = { kind: 'sorted', at: hour(20), greenGrams: 10, deadGrams: 4, cloverGrams: 2 };
const whole = [frame, wet, subsample, drying, dry(15, 16.2), dry(17, 16), fractions];

const after = (...steps: readonly CutStep[]): CutState => steps.reduce(afterStep, NEW_CUT);
const wetOf = (grossGrams: number, bagGrams: number): CutStep =>
  ({ ...wet, grossGrams, bagGrams }) as CutStep;
const event = (number: number, change: CutEvent['change'], recordedAt = hour(number)): CutEvent => ({
  id: uuid(number),
  recordedAt,
  change,
});
const eventsOf = (steps: readonly CutStep[]): CutEvent[] =>
  steps.map((step, at) => event(at + 1, step, step.at));

describe('times of steps', () => {
  const warnings = (steps: readonly CutStep[]) =>
    cutWarnings(steps.reduce((state: CutState, step) => afterStep(state, step), NEW_CUT)).join(' ');

  it('that are not in their order are warned of, and a wet weight of another day', () => {
    expect(warnings([frame, { ...wet, at: hour(30) }])).toMatch(
      /Weighed wet 1 days? after its frame was placed/,
    );
    expect(warnings([{ ...frame, at: hour(2) }, wet])).toMatch(/not in their order/);
    expect(warnings([frame, wet, subsample])).not.toMatch(/order|after its frame/);
  });
});

describe('weights as scales show them', () => {
  it.each([
    [138.7, 20, 118.7],
    [0.3, 0.1, 0.2],
    [1000.1, 33.4, 966.7],
  ])('%d g with a bag of %d g may all be dried: %d g', (gross, bag, all) => {
    const state = after(frame, wetOf(gross, bag), { ...subsample, wetGrams: all } as CutStep);
    expect(state.stage).toBe('subsampled');
    expect(() => after(frame, wetOf(gross, bag), { ...subsample, wetGrams: all + 0.1 } as CutStep)).toThrow(
      /heavier than the cut/,
    );
  });

  it.each([
    [8.3, 8.1],
    [20.4, 20.2],
  ])('%d g and %d g of 100 g wet are constant weight', (first, last) => {
    expect(after(frame, wet, subsample, drying, dry(15, first), dry(17, last)).stage).toBe('dry');
    expect(after(frame, wet, subsample, drying, dry(15, first + 0.1), dry(17, last)).stage).toBe(
      'dry-weighed',
    );
  });
});

describe('what a cut weighs', () => {
  it('is its wet weight without the bag, times the dry matter of its sub-sample, on its frame', () => {
    const result = cutResult(after(...whole));
    expect(result).toMatchObject({
      dryMatter: 0.16,
      dryGrams: 32,
      settled: true,
      source: 'measured',
      warnings: [],
    });
    expect(result?.kgDmPerHa).toBeCloseTo(1280, 9);
    expect(result?.masses).toEqual({ green: 20, dead: 8, clover: 4, gdm: 24, total: 32 });
  });

  it.each([
    [0.25, 40],
    [0.1, 100],
    [0.21, 47.619],
  ])('on a frame of %f m² is %f kg DM/ha a gram', (area, factor) => {
    const steps = [
      { ...frame, frameAreaSquareMetres: area },
      { ...wet, grossGrams: 60 },
      { ...subsample, wetGrams: 10 },
      drying,
      dry(15, 1),
      dry(17, 1),
    ];
    expect(cutResult(after(...steps))?.kgDmPerHa).toBeCloseTo(factor, 3);
  });

  it('is too much by 320 kg DM/ha where a 50 g bag was not tared, at 16 % on 0.25 m²', () => {
    expect(bagKgDmPerHa(50, 0.16, 0.25)).toBeCloseTo(320, 9);
    const untared: CutStep = { ...wet, bagGrams: 0 };
    expect(cutWarnings(after(frame, untared))[0]).toMatch(/would add 320 kg DM\/ha at 16 % dry matter/);
    expect(cutWarnings(after(frame, { ...untared, tared: true }))).toEqual([]);
  });

  it('is nothing yet before it is dried, and not settled before its weight stays', () => {
    expect(cutResult(after(frame, wet, subsample, drying))).toBeNull();
    const once = cutResult(after(frame, wet, subsample, drying, dry(15, 16.2)));
    expect(once).toMatchObject({ settled: false, masses: null });
    expect(once?.warnings[0]).toMatch(/Not yet of constant weight/);
  });

  it('is nothing at all on bare ground, without drying', () => {
    const bare = after(frame, { ...wet, grossGrams: 50 });
    expect(cutResult(bare)).toMatchObject({ dryGrams: 0, kgDmPerHa: 0, settled: true, masses: { total: 0 } });
    expect(() => afterStep(bare, subsample)).toThrow(/nothing was cut/);
  });
});

describe('constant weight', () => {
  const stageAt = (...weights: readonly CutStep[]): string =>
    after(frame, wet, subsample, drying, ...weights).stage;
  it.each([
    ['12 h in the oven and 2 h more, 0.2 g of 100 g lost', [dry(15, 16.2), dry(17, 16)], 'dry'],
    ['as much gained', [dry(15, 16), dry(17, 16.2)], 'dry'],
    ['0.3 g lost', [dry(15, 16.3), dry(17, 16)], 'dry-weighed'],
    ['weighed again too soon', [dry(15, 16.1), dry(16, 16)], 'dry-weighed'],
    ['not long enough in the oven', [dry(14, 16.1), dry(16, 16)], 'dry-weighed'],
    ['once', [dry(30, 16)], 'dry-weighed'],
    ['and a third time it stays', [dry(15, 17), dry(17, 16.1), dry(19, 16)], 'dry'],
  ] as const)('%s', (_, weights, stage) => {
    expect(stageAt(...weights)).toBe(stage);
  });

  it('of a microwave asks for no hours', () => {
    const microwave: CutStep = { ...drying, method: 'microwave', celsius: null };
    const steps = [frame, wet, subsample, microwave, dry(3.1, 16.1), dry(3.2, 16)];
    expect(after(...steps).stage).toBe('dry');
  });

  it('is doubted below 80 °C, above 105 °C, and after few hours', () => {
    const warned = (celsius: number, weights: readonly CutStep[]): string | undefined =>
      cutWarnings(after(frame, wet, subsample, { ...drying, celsius }, ...weights))[0];
    expect(warned(60, [])).toMatch(/below 80 °C/);
    expect(warned(120, [])).toMatch(/above 105 °C/);
    expect(warned(80, [dry(8, 20)])).toMatch(/Dried for 5.0 h: leave it in for 12 h/);
  });
});

describe('a step that cannot be', () => {
  const impossible: [string, readonly CutStep[], CutStep, RegExp][] = [
    ['weighed before its frame is placed', [], wet, /after its frame is placed/],
    ['a second frame', [frame], frame, /placed already; correct or withdraw/],
    [
      'a bag heavier than all',
      [frame],
      { ...wet, bagGrams: 251 } as CutStep,
      /bag \(251 g\) is heavier .* \(250 g\)/,
    ],
    ['a bag on a tared scale', [frame], { ...wet, tared: true } as CutStep, /tared with the bag/],
    [
      'a sub-sample heavier than the cut',
      [frame, wet],
      { ...subsample, wetGrams: 201 } as CutStep,
      /\(201 g\) is heavier .* \(200 g\)/,
    ],
    ['an empty sub-sample', [frame, wet], { ...subsample, wetGrams: 0 } as CutStep, /0 g cannot be dried/],
    ['drying before the sub-sample is weighed', [frame, wet], drying, /after the sub-sample is weighed/],
    [
      'an oven without its heat',
      [frame, wet, subsample],
      { ...drying, celsius: null } as CutStep,
      /an oven has a temperature/,
    ],
    ['a dry weight before drying', [frame, wet, subsample], dry(15, 16), /after drying has begun/],
    [
      'dry heavier than wet',
      [frame, wet, subsample, drying],
      dry(15, 101),
      /dry \(101 g\) is heavier than wet \(100 g\)/,
    ],
    ['a dry weight of nothing', [frame, wet, subsample, drying], dry(15, 0), /more than 0 g/],
    [
      'sorting what is still wet',
      [frame, wet, subsample, drying, dry(15, 16)],
      fractions,
      /until its weight stays/,
    ],
    [
      'fractions of more than there is',
      whole.slice(0, -1),
      { ...fractions, greenGrams: 11 } as CutStep,
      /17 g together, more than the 16 g/,
    ],
    ['sorting twice', whole, fractions, /sorted already/],
    ['a dry weight of what is sorted', whole, dry(21, 16), /sorted, so it cannot be weighed whole/],
  ];
  it.each(impossible)('is refused: %s', (_, steps, step, message) => {
    expect(() => afterStep(after(...steps), step)).toThrow(message);
  });

  it('is not what scales round, nor what is lost in sorting, which is said', () => {
    const light = after(...whole.slice(0, -1), { ...fractions, greenGrams: 9 } as CutStep);
    expect(cutWarnings(light)[0]).toMatch(/1.0 g were lost in sorting/);
    expect(cutResult(light)?.masses?.total).toBeCloseTo(32, 9);
    expect(after(...whole.slice(0, -1), { ...fractions, greenGrams: 10.4 } as CutStep).stage).toBe('sorted');
  });
});

const grams = fc.integer({ min: 0, max: 300 });
const when = fc.integer({ min: 0, max: 40 }).map(hour);
const anyStep: fc.Arbitrary<CutStep> = fc.oneof(
  fc
    .record({ at: when, cuttingHeightCentimetres: fc.constantFrom(0, 2, 4) })
    .map((values) => ({ ...frame, ...values }) as CutStep),
  fc
    .record({ at: when, grossGrams: grams, bagGrams: grams, tared: fc.boolean() })
    .map((values) => ({ kind: 'wet-weighed', ...values }) as CutStep),
  fc.record({ at: when, wetGrams: grams }).map((values) => ({ kind: 'subsampled', ...values }) as CutStep),
  fc.record({ at: when }).map((values) => ({ ...drying, ...values }) as CutStep),
  fc
    .record({ at: when, dryGrams: fc.integer({ min: 0, max: 20 }) })
    .map((values) => ({ kind: 'dry-weighed', ...values }) as CutStep),
  fc
    .record({ at: when, greenGrams: grams, deadGrams: grams, cloverGrams: grams })
    .map((values) => ({ kind: 'sorted', ...values }) as CutStep),
);
/** Steps, corrections and withdrawals, some of events that are not there. */
const histories = fc
  .array(
    fc.tuple(
      anyStep,
      fc.constantFrom('step', 'step', 'corrected', 'withdrawn'),
      fc.nat(14),
      fc.integer({ min: 0, max: 40 }),
    ),
    {
      maxLength: 14,
    },
  )
  .map((parts) =>
    parts.map(([step, kind, other, recorded], at) => {
      const named = uuid((other % 15) + 1);
      const change: CutEvent['change'] =
        kind === 'corrected'
          ? { kind: 'corrected', event: named, step }
          : kind === 'withdrawn'
            ? { kind: 'withdrawn', event: named }
            : step;
      return event(at + 1, change, hour(recorded));
    }),
  );

/** Whether a state could have come of steps in their order, with weights that can be. */
function requireSound({ frame, wet, subsample, drying, dryWeighings, sorted }: CutState): void {
  const taken = [frame, wet, subsample, drying, dryWeighings[0] ?? null, sorted];
  const first = taken.indexOf(null);
  if (first >= 0) expect(taken.slice(first).every((step) => step === null)).toBe(true);
  const times = [frame, wet, subsample, drying, ...dryWeighings, sorted].flatMap((step) =>
    step ? [Date.parse(step.at)] : [],
  );
  expect(times).toEqual([...times].sort((a, b) => a - b));
  if (wet) expect(wet.bagGrams).toBeLessThanOrEqual(wet.grossGrams);
  if (wet && subsample) expect(subsample.wetGrams).toBeLessThanOrEqual(wet.grossGrams - wet.bagGrams);
  for (const { dryGrams } of dryWeighings) expect(dryGrams).toBeLessThanOrEqual(subsample?.wetGrams ?? -1);
  if (sorted)
    expect(sorted.greenGrams + sorted.deadGrams + sorted.cloverGrams).toBeLessThanOrEqual(
      (dryWeighings.at(-1)?.dryGrams ?? 0) + 0.5,
    );
}

describe('a cut’s history', () => {
  it('never comes to a state that steps in order could not, whatever was written', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const { state, refused } = cutHistory(events);
        requireSound(state);
        const known = new Set(events.map(({ id }) => id));
        expect(refused.every(({ id, message }) => known.has(id) && message.length > 10)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same whichever device’s events come first, however often they are put together', () => {
    fc.assert(
      fc.property(histories, fc.nat(14), fc.nat(14), (events, a, b) => {
        const [first, second, third] = [
          events.slice(0, a),
          events.slice(b),
          events.filter((_, at) => at % 2 === 0),
        ];
        const merged = mergedEvents(first, second);
        expect(mergedEvents(second, first)).toEqual(merged);
        expect(mergedEvents(merged, second)).toEqual(merged);
        expect(mergedEvents(mergedEvents(first, second), third)).toEqual(
          mergedEvents(first, mergedEvents(second, third)),
        );
        expect(cutHistory([...merged].reverse())).toEqual(cutHistory(merged));
      }),
    );
  });

  it('takes the steps of a cut whatever order they arrive in', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(eventsOf(whole), { minLength: whole.length }), (events) => {
        const { state, refused } = cutHistory(events);
        expect(refused).toEqual([]);
        expect(state).toEqual(after(...whole));
      }),
    );
    expect(STEP_KINDS).toEqual([...new Set(whole.map(({ kind }) => kind))]);
  });

  it('takes steps that bear one time in the order that cuts are made in', () => {
    const at = hour(0);
    const steps = [subsample, wet, frame].map((step) => ({ ...step, at }) as CutStep);
    expect(cutHistory(eventsOf(steps))).toMatchObject({ state: { stage: 'subsampled' }, refused: [] });
  });

  it('has a step as it was last corrected, and not once it is withdrawn', () => {
    const corrected = event(21, { kind: 'corrected', event: uuid(2), step: { ...wet, bagGrams: 40 } });
    const again = event(22, { kind: 'corrected', event: uuid(2), step: { ...wet, bagGrams: 30 } });
    const [placed, weighed] = eventsOf(whole) as [CutEvent, CutEvent];
    expect(cutHistory([again, weighed, corrected, placed]).state.wet?.bagGrams).toBe(30);
    const withdrawn = event(23, { kind: 'withdrawn', event: uuid(2) });
    expect(cutHistory([withdrawn, placed, weighed, again]).state).toMatchObject({
      stage: 'frame-placed',
      wet: null,
    });
  });

  it('has a step again that is corrected after it was withdrawn', () => {
    const events = [
      ...eventsOf([frame, wet]),
      event(22, { kind: 'withdrawn', event: uuid(2) }),
      event(23, { kind: 'corrected', event: uuid(2), step: { ...wet, bagGrams: 30 } }),
    ];
    expect(cutHistory(events).state.wet?.bagGrams).toBe(30);
  });

  it('says of two devices that both weighed which weight does not count', () => {
    const other = event(9, { ...wet, at: hour(0.15), grossGrams: 270 }, hour(0.15));
    const { state, refused } = cutHistory(
      mergedEvents(eventsOf([frame, wet]), [...eventsOf([frame]), other]),
    );
    expect(state.wet?.grossGrams).toBe(250);
    expect(refused).toEqual([{ id: uuid(9), message: expect.stringMatching(/weighed wet already/) }]);
  });

  it('refuses an event that cannot be, and takes one twice as once', () => {
    const events = eventsOf(whole);
    expect(withEvent(events, events[3] as CutEvent)).toEqual(mergedEvents(events, []));
    expect(() => withEvent(events.slice(0, 2), event(9, dry(15, 16)))).toThrow(/after drying has begun/);
    expect(() => withEvent(events, event(9, { kind: 'withdrawn', event: uuid(77) }))).toThrow(
      /is not of this cut/,
    );
    expect(() => withEvent(events, event(9, { kind: 'withdrawn', event: uuid(2) }))).toThrow(
      /withdraw the later step first/,
    );
    const heavier = { ...wet, grossGrams: 120 } as CutStep;
    expect(() => withEvent(events, event(9, { kind: 'corrected', event: uuid(2), step: heavier }))).toThrow(
      /later step without ground: the sub-sample \(100 g\) is heavier/,
    );
    expect(() => withEvent(events, event(9, { kind: 'corrected', event: uuid(2), step: subsample }))).toThrow(
      /cannot correct/,
    );
    expect(() => withEvent(events, { ...(events[1] as CutEvent), recordedAt: hour(5) })).toThrow(
      /two different events/,
    );
  });
});
