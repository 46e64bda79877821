import { useState } from 'preact/hooks';
import { z } from 'zod';
import { STEP_KINDS } from '../../../src/farm/cut-state.ts';
import {
  type Cut,
  type CutEvent,
  Cut as CutSchema,
  type CutState,
  CutStep,
  cutHistory,
  cutResult,
  cutWarnings,
  LEAST_CELSIUS,
  withEvent,
} from '../../../src/farm/index.ts';
import { byMass } from '../../../src/pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../../src/pasture/units.ts';
import { now } from '../capture/moment.ts';
import { Choices, NumberField, TimeField, typed } from '../parts/fields.tsx';
import { MassBar } from '../parts/masses.tsx';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { Problem } from '../parts/problem.tsx';
import { TwiceButton } from '../parts/twice-button.tsx';
import { dayAndTime, grams, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import { keyOf } from '../store/records.ts';
import { askFor } from '../sync/farm-server.ts';
import { wordsOf } from '../sync/sync.ts';
import { bagMark } from '../visits/bag-mark.ts';
import { dueOf } from '../visits/cut-due.ts';
import { stepTime } from '../visits/step-time.ts';
import { RemoveRecord } from './remove-record.tsx';

type Kind = CutStep['kind'];

const STEP_WORDS: Readonly<Record<Kind, string>> = {
  'frame-placed': 'Frame placed',
  'wet-weighed': 'Weighed wet',
  subsampled: 'Sub-sample weighed',
  'drying-started': 'Drying',
  'dry-weighed': 'Weighed dry',
  sorted: 'Sorted',
};

/** A frame that is cut, step by step, over days. */
export function CutScreen({ cut }: { readonly cut: Cut }) {
  const { store, sync } = useApp();
  const { state, refused } = cutHistory(cut.events);
  const due = dueOf(state, Date.now());
  const visit = store.visits.value.get(cut.visitId);
  const paddock = visit && store.paddocks.value.get(visit.paddockId);
  const photo = cut.photoId === null ? undefined : store.photos.value.get(cut.photoId);
  const next = useMayRecord() ? nextSteps(state) : [];
  const item = store.outbox.value.get(keyOf('cut', cut.id));
  return (
    <Page title={paddock ? `Cut in ${paddock.name}` : 'Cut'} back="#/cuts">
      <div class="columns">
        <div>
          <section class="card">
            <p class={due.isLate ? 'bad' : ''} role="status">
              <strong>{due.words}</strong>
            </p>
            <p>
              Bag <strong>{bagMark(cut)}</strong>: write that on it.
            </p>
            <Weighs state={state} />
            {next.map((kind) => (
              <StepForm key={`${cut.id} ${kind} ${state.dryWeighings.length}`} cut={cut} kind={kind} />
            ))}
          </section>
        </div>
        <div>
          <section class="card">
            <h2>So far</h2>
            <Steps cut={cut} state={state} />
            {refused.map(({ id, message }) => (
              <div key={id} class="warn">
                <p>Without effect: {message}.</p>
              </div>
            ))}
            {item?.refused && <Refused cut={cut} />}
            <p class="quiet">{wordsOf(item, sync.sending.value, sync.device.value !== null)}</p>
          </section>
          {photo ? (
            <a href={addressOf('photo', photo.id)} aria-label="The photo of this frame">
              <Picture photo={photo} />
            </a>
          ) : (
            <p class="quiet">No photo of this frame, so it does not correct what photos say.</p>
          )}
          <RemoveRecord kind="cut" id={cut.id} stays={null} leave={() => goTo('cuts')} />
        </div>
      </div>
    </Page>
  );
}

/** Two devices have taken the same step, and only the other's can stand. */
function Refused({ cut }: { readonly cut: Cut }) {
  const { store } = useApp();
  const { run, problem } = useWork();
  return (
    <>
      <TwiceButton
        sure="What this device wrote of this cut and could not send is left out."
        onSure={() => void run(() => takeServers(store, cut))}
      >
        Take the server’s steps
      </TwiceButton>
      <Problem of={problem} />
    </>
  );
}

/** What may follow: sorting may be left out, and a dry weight may be taken again. */
function nextSteps({ stage }: CutState): Kind[] {
  switch (stage) {
    case 'begun':
      return [];
    case 'frame-placed':
      return ['wet-weighed'];
    case 'wet-weighed':
      return ['subsampled'];
    case 'subsampled':
      return ['drying-started'];
    case 'drying':
    case 'dry-weighed':
      return ['dry-weighed'];
    case 'dry':
      return ['sorted'];
    case 'bare':
    case 'sorted':
      return [];
  }
}

function Weighs({ state }: { readonly state: CutState }) {
  const result = cutResult(state);
  const warnings = result?.warnings ?? cutWarnings(state);
  return (
    <>
      {result && (
        <div>
          <p class="figure">
            {number(result.kgDmPerHa)} <small>kg DM/ha</small>
          </p>
          <p class="quiet">
            Measured, {result.settled ? 'dry' : 'not yet of constant weight'}: {result.dryGrams.toFixed(1)} g
            on the frame
            {result.dryMatter !== null && `, ${(100 * result.dryMatter).toFixed(0)} % dry matter`}, cut at{' '}
            {result.cuttingHeightCentimetres === 0 ? 'ground level' : `${result.cuttingHeightCentimetres} cm`}
            .
          </p>
        </div>
      )}
      {result?.masses && (
        <MassBar
          kgDmPerHa={byMass((mass) =>
            gramsToKilogramsPerHectare(result.masses?.[mass] ?? 0, result.frameAreaSquareMetres),
          )}
        />
      )}
      {warnings.map((warning) => (
        <p key={warning} class="warn">
          {warning}
        </p>
      ))}
    </>
  );
}

function saidOf(step: CutStep): string {
  switch (step.kind) {
    case 'frame-placed':
      return `${step.frameAreaSquareMetres} m², cut at ${step.cuttingHeightCentimetres} cm`;
    case 'wet-weighed':
      return `${grams(step.grossGrams)}${step.tared ? ', tared' : `, bag ${grams(step.bagGrams)}`}`;
    case 'subsampled':
      return grams(step.wetGrams);
    case 'drying-started':
      return step.method === 'oven' ? `oven at ${step.celsius} °C` : 'microwave';
    case 'dry-weighed':
      return grams(step.dryGrams);
    case 'sorted':
      return `green ${grams(step.greenGrams)}, dead ${grams(step.deadGrams)}, clover ${grams(step.cloverGrams)}`;
  }
}

/** What was done, and the last of it to be taken back. */
function Steps({ cut, state }: { readonly cut: Cut; readonly state: CutState }) {
  const { store } = useApp();
  const mayRecord = useMayRecord();
  const { run, problem } = useWork();
  const done: CutStep[] = [
    state.frame,
    state.wet,
    state.subsample,
    state.drying,
    ...state.dryWeighings,
    state.sorted,
  ].filter((step) => step !== null);
  const open = STEP_KINDS.filter((kind) => !done.some((step) => step.kind === kind));
  const last = done.at(-1);
  const event = last && eventOf(cut, last);
  return (
    <>
      <ul class="steps">
        {done.map((step) => (
          <li key={`${step.kind} ${step.at}`} class="done">
            <span>
              <strong>{STEP_WORDS[step.kind]}</strong>: {saidOf(step)}
              <br />
              <span class="quiet">{dayAndTime(step.at)}</span>
            </span>
          </li>
        ))}
        {state.stage !== 'bare' &&
          open.map((kind) => (
            <li key={kind} class="quiet">
              {STEP_WORDS[kind]}
            </li>
          ))}
      </ul>
      {mayRecord && event && done.length > 1 && (
        <TwiceButton
          key={event.id}
          sure={`“${STEP_WORDS[last.kind]}” will count as not done.`}
          onSure={() => void run(() => add(store, cut, { kind: 'withdrawn', event: event.id }))}
        >
          Take the last step back
        </TwiceButton>
      )}
      <Problem of={problem} />
    </>
  );
}

/** When the last step was done; null: none was. */
function lastDone({ events }: Cut): string | null {
  const { frame, wet, subsample, drying, dryWeighings, sorted } = cutHistory(events).state;
  return (
    [frame, wet, subsample, drying, ...dryWeighings, sorted].findLast((step) => step !== null)?.at ?? null
  );
}

/** The event that a step was written down with, or corrected to. */
function eventOf({ events }: Cut, step: CutStep): CutEvent | undefined {
  return events.find(({ change }) => change.kind === step.kind && 'at' in change && change.at === step.at);
}

async function add(
  store: ReturnType<typeof useApp>['store'],
  { id }: Cut,
  change: CutEvent['change'],
): Promise<void> {
  const cut = store.cuts.value.get(id);
  if (!cut) return;
  const event: CutEvent = { id: crypto.randomUUID(), recordedAt: now(), change };
  await store.save('cut', { ...cut, events: withEvent(cut.events, event) });
}

/** Leaves out what this device wrote and the server cannot take beside what another has written. */
const takeServers = async (store: ReturnType<typeof useApp>['store'], { id }: Cut): Promise<void> =>
  store.save('cut', await askFor(z.object(CutSchema.shape), `/api/cuts/${id}`));

type Draft = Readonly<Record<string, string>>;

/** Asks for the next step. What is typed stays, whatever happens to the page, until it is kept. */
function StepForm({ cut, kind }: { readonly cut: Cut; readonly kind: Kind }) {
  const { store } = useApp();
  // A dry weight is taken several times: what was typed for the last is not that of the next.
  const { dryWeighings, drying } = cutHistory(cut.events).state;
  const times = dryWeighings.length;
  const name = `draft/${cut.id}/${kind}${kind === 'dry-weighed' && times > 0 ? `/${times}` : ''}`;
  const [draft, setDraft] = useState<Draft>(() => (store.value(name) as Draft | undefined) ?? STARTS[kind]);
  const isCool = drying !== null && drying.celsius !== null && drying.celsius < LEAST_CELSIUS;
  const { run, problem } = useWork();
  const change = (field: string, text: string): void => {
    const next = { ...draft, [field]: text };
    setDraft(next);
    void store.setValue(name, next);
  };
  const field = (key: string, label: string, unit = 'g') => (
    <NumberField label={label} unit={unit} value={draft[key] ?? ''} onValue={(text) => change(key, text)} />
  );
  const keep = (): void =>
    void run(async () => {
      const at = stepTime(draft.at ?? '', lastDone(cut), new Date());
      const step = stepOf(kind, draft, at);
      const hotter = kind === 'dry-weighed' && isCool ? (draft.celsius ?? '') : '';
      const begun = drying && eventOf(cut, drying);
      if (hotter !== '' && begun) {
        const celsius = celsiusOf(hotter);
        await add(store, cut, { kind: 'corrected', event: begun.id, step: { ...drying, celsius } });
      }
      await add(store, cut, step);
      await store.dropValue(name);
    });
  return (
    <form
      style={{ display: 'grid', gap: '0.75rem' }}
      onSubmit={(event) => {
        event.preventDefault();
        keep();
      }}
    >
      <h2>{STEP_WORDS[kind]}</h2>
      {kind === 'wet-weighed' && (
        <>
          <div class="two">
            {field('gross', 'All that was cut')}
            {draft.tared !== 'yes' && field('bag', 'Empty bag')}
          </div>
          <Choices
            legend="The scale"
            choices={{ no: 'weighs the bag too', yes: 'was tared with the bag' }}
            value={(draft.tared ?? 'no') as 'no' | 'yes'}
            onValue={(tared) => change('tared', tared)}
          />
          <p class="quiet">Nothing to cut? Give the bag's weight for both.</p>
        </>
      )}
      {kind === 'subsampled' && (
        <>
          {field('wet', 'What is to be dried, without its bag')}
          <p class="quiet">All of the cut, or a well-mixed part of 100 to 200 g.</p>
        </>
      )}
      {kind === 'drying-started' && (
        <>
          <Choices
            legend="Dried in"
            choices={{ oven: 'an oven', microwave: 'a microwave' }}
            value={(draft.method ?? 'oven') as 'oven' | 'microwave'}
            onValue={(method) => change('method', method)}
          />
          {(draft.method ?? 'oven') === 'oven' && field('celsius', 'Temperature', '°C')}
        </>
      )}
      {kind === 'dry-weighed' && (
        <>
          {field('dry', 'The dried sub-sample, without its bag')}
          <p class="quiet">
            {drying?.method === 'microwave'
              ? 'After each round in the microwave, until the weight stays.'
              : 'In the oven 12 hours at least, then again after 2 hours, until the weight stays.'}
          </p>
          {isCool && field('celsius', `Dried on hotter than ${drying.celsius} °C? Then at`, '°C')}
        </>
      )}
      {kind === 'sorted' && (
        <>
          <p class="quiet">If the dried sub-sample is sorted by hand. Otherwise this cut is finished.</p>
          {field('green', 'Green grass and other green')}
          {field('dead', 'Dead')}
          {field('clover', 'Clover')}
        </>
      )}
      <TimeField value={draft.at ?? ''} onValue={(text) => change('at', text)} />
      <button type="submit" class="main">
        Keep
      </button>
      <Problem of={problem} />
    </form>
  );
}

const STARTS: Readonly<Record<Kind, Draft>> = {
  'frame-placed': {},
  'wet-weighed': { tared: 'no' },
  subsampled: {},
  'drying-started': { method: 'oven', celsius: '80' },
  'dry-weighed': {},
  sorted: {},
};

/** An oven's temperature as it was typed. @throws Error that says what it may be */
function celsiusOf(text: string): number {
  const celsius = typed(text);
  if (celsius === null || celsius < 20 || celsius > 250) {
    throw new Error('Give the oven’s temperature, from 20 to 250 °C.');
  }
  return celsius;
}

/** Heavier is no cut of a frame. */
const MOST_GRAMS = 100_000;

/** A step of what was typed. @throws Error that says which number is missing */
function stepOf(kind: Kind, draft: Draft, at: string): CutStep {
  const grams = (key: string, what: string): number => {
    const value = typed(draft[key] ?? '');
    if (value === null || value < 0 || value > MOST_GRAMS) {
      throw new Error(`Give the weight of ${what} in grams, from 0 to ${number(MOST_GRAMS)}.`);
    }
    return value;
  };
  const read = (step: CutStep): CutStep => CutStep.parse(step);
  switch (kind) {
    case 'wet-weighed': {
      const tared = draft.tared === 'yes';
      return read({
        kind,
        at,
        grossGrams: grams('gross', 'all that was cut'),
        bagGrams: tared ? 0 : grams('bag', 'the empty bag'),
        tared,
      });
    }
    case 'subsampled':
      return read({ kind, at, wetGrams: grams('wet', 'the sub-sample') });
    case 'drying-started': {
      const method = draft.method === 'microwave' ? 'microwave' : 'oven';
      return read({ kind, at, method, celsius: method === 'oven' ? celsiusOf(draft.celsius ?? '') : null });
    }
    case 'dry-weighed':
      return read({ kind, at, dryGrams: grams('dry', 'the dried sub-sample') });
    case 'sorted':
      return read({
        kind,
        at,
        greenGrams: grams('green', 'the green'),
        deadGrams: grams('dead', 'the dead'),
        cloverGrams: grams('clover', 'the clover'),
      });
    case 'frame-placed':
      throw new Error('The frame was placed already.');
  }
}
