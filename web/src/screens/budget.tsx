import { useState } from 'preact/hooks';
import type { FeedBudget, Paddock } from '../../../src/farm/index.ts';
import { Choices, NumberField } from '../parts/fields.tsx';
import { daysWords, rounded } from '../parts/words.ts';
import { useApp } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { ANIMALS, type FeedPlan, feedPlanOf, keepFeedPlan, plannedBudget } from '../visits/feed-plan.ts';
import type { VisitView } from '../visits/visits.ts';

/** How long a paddock feeds a mob. */
export function Budget({ view, paddock }: { readonly view: VisitView; readonly paddock: Paddock }) {
  const { store } = useApp();
  const [plan, setPlan] = useState(() => feedPlanOf(store, paddock.id));
  const { total } = view.kgDmPerHa;
  if (!total) return null;
  const change = (next: Partial<FeedPlan>): void => {
    const changed = { ...plan, ...next };
    setPlan(changed);
    void keepFeedPlan(store, paddock.id, changed);
  };
  const numberField = (
    key: 'head' | 'residual' | 'utilisationPercent' | 'growth' | 'supplement',
    label: string,
    unit: string,
  ) => (
    <NumberField label={label} unit={unit} value={plan[key]} onValue={(text) => change({ [key]: text })} />
  );
  const { hectares } = view;
  if (!hectares) {
    return (
      <section class="card">
        <h2>Feed budget</h2>
        <p>
          Give the paddock's hectares below, or <a href={addressOf('boundary', paddock.id)}>draw it</a>, for
          the days it feeds.
        </p>
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
        <select value={plan.animal} onChange={(event) => change({ animal: event.currentTarget.value })}>
          {ANIMALS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Choices
        legend="What is left"
        choices={{ residual: 'So much a hectare', utilisation: 'A share' }}
        value={plan.leave}
        onValue={(leave) => change({ leave })}
      />
      <div class="two">
        {plan.leave === 'residual'
          ? numberField('residual', 'Left standing', 'kg DM/ha')
          : numberField('utilisationPercent', 'Eaten', '%')}
        {numberField('supplement', 'Fed besides', 'kg DM a day')}
      </div>
      <p class="quiet">
        Growth or feed that is left empty counts as none. What is given here is this paddock's, and stays on
        this device.
      </p>
    </section>
  );
}

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
