import { useState } from 'preact/hooks';
import { ANIMALS, type FeedBudget, type FeedPlan, type Paddock } from '../../../src/farm/index.ts';
import { Choices, NumberField } from '../parts/fields.tsx';
import { Problem } from '../parts/problem.tsx';
import { daysWords, rounded } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { plannedBudget, plannedField, type TypedPlan, typedPlan } from '../visits/feed-plan.ts';
import type { VisitView } from '../visits/visits.ts';

/** How long a paddock feeds a mob. */
export function Budget({ view, paddock }: { readonly view: VisitView; readonly paddock: Paddock }) {
  const { store, sync } = useApp();
  // What is not being typed here is as it is known, which another device may change meanwhile.
  const [changed, setChanged] = useState<Partial<TypedPlan>>({});
  const { run, problem } = useWork();
  const { total } = view.kgDmPerHa;
  if (!total) return null;
  const plan = { ...typedPlan(paddock), ...changed };
  // Who may look but not record tries figures out all the same.
  const keeps = sync.device.value?.role !== 'viewer';
  const keep = (key: keyof TypedPlan, value: string): void => {
    const field = plannedField(key, value);
    if (!keeps || !field) return;
    void run(async () => {
      if (!isIn(paddock, field)) await store.changePaddock(paddock.id, field);
      setChanged(({ [key]: _, ...others }) => others);
    });
  };
  const numberField = (
    key: 'head' | 'residual' | 'utilisationPercent' | 'growth' | 'supplement',
    label: string,
    unit: string,
  ) => (
    <NumberField
      label={label}
      unit={unit}
      value={plan[key]}
      onValue={(text) => setChanged((now) => ({ ...now, [key]: text }))}
      onDone={(text) => keep(key, text)}
    />
  );
  /** One of a few, which is not half typed. */
  const choose = (key: 'animal' | 'leave', value: string): void => {
    setChanged((now) => ({ ...now, [key]: value }));
    keep(key, value);
  };
  const { hectares } = view;
  if (!hectares) {
    return (
      <section class="card">
        <h2>Feed budget</h2>
        {keeps ? (
          <p>
            Give the paddock's hectares below, or <a href={addressOf('boundary', paddock.id)}>draw it</a>, for
            the days it feeds.
          </p>
        ) : (
          <p>How large the paddock is was not recorded yet.</p>
        )}
      </section>
    );
  }
  const budget = plannedBudget(plan, view.cuttingHeightCentimetres, total, hectares);
  return (
    <section class="card">
      <h2>Feed budget</h2>
      {typeof budget === 'string' ? <p role="status">{budget}</p> : <Days budget={budget} />}
      <div class="two">
        {numberField('head', 'Animals', 'head')}
        {numberField('growth', 'Growth', 'kg DM/ha a day')}
      </div>
      <label class="field">
        Kind
        <select value={plan.animal} onChange={(event) => choose('animal', event.currentTarget.value)}>
          {ANIMALS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Choices
        legend="Grazed until"
        choices={{ residual: 'so much is left standing', utilisation: 'a share is eaten' }}
        value={plan.leave}
        onValue={(leave) => choose('leave', leave)}
      />
      <div class="two">
        {plan.leave === 'residual'
          ? numberField('residual', 'Left standing', 'kg DM/ha')
          : numberField('utilisationPercent', 'Eaten', '%')}
        {numberField('supplement', 'Fed besides', 'kg DM a day')}
      </div>
      <p class="quiet">
        Growth or feed that is left empty counts as none. What is given here is this paddock's
        {keeps
          ? ', on every device of the farm'
          : ' while you look at it: viewers change nothing of the farm'}
        .
      </p>
      <Problem of={problem} />
    </section>
  );
}

/** Whether a paddock has what a field says already. */
const isIn = (paddock: Paddock, field: FeedPlan): boolean =>
  (Object.keys(field) as (keyof FeedPlan)[]).every((key) => (paddock[key] ?? null) === (field[key] ?? null));

function Days({ budget }: { readonly budget: FeedBudget }) {
  const { days, low, high, available, netDemand, definitions, source } = budget;
  return (
    <div>
      <p class="figure">{daysWords(days)}</p>
      {low && high && (
        <p>
          At the low end of the interval {daysWords(low)}, at the high end {daysWords(high)}.
        </p>
      )}
      <p>
        {rounded(available)} kg DM to eat;{' '}
        {netDemand > 0
          ? `${rounded(netDemand)} kg DM a day are eaten beyond what grows and is fed.`
          : 'as much grows or is fed as is eaten.'}{' '}
        <span class="quiet">{source === 'measured' ? 'Measured.' : 'Modelled.'}</span>
      </p>
      <details>
        <summary>What these words mean</summary>
        <ul class="quiet">
          {definitions.map((words) => (
            <li key={words}>{words}.</li>
          ))}
        </ul>
      </details>
    </div>
  );
}
