import { useState } from 'preact/hooks';
import {
  adultEquivalent,
  DSE,
  DSE_RATINGS,
  type FeedBudget,
  feedBudget,
  feedOnOffer,
  type Paddock,
} from '../../../src/farm/index.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import { Choices, NumberField, typed } from '../parts/fields.tsx';
import { daysWords, rounded } from '../parts/words.ts';
import { useApp } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import type { Settings } from '../store/settings.ts';
import type { VisitView } from '../visits/visits.ts';

type Asked = Settings['budget'];

const CATTLE = 'steer, 450 kg (1 AE)';

/** How long a paddock feeds a mob. */
export function Budget({ view, paddock }: { readonly view: VisitView; readonly paddock: Paddock }) {
  const { store } = useApp();
  const [asked, setAsked] = useState(store.settings.value.budget);
  const [texts, setTexts] = useState<Partial<Record<keyof Asked, string>>>({});
  const { total } = view.kgDmPerHa;
  if (!total) return null;
  const change = (next: Partial<Asked>): void => {
    const changed = { ...asked, ...next };
    setAsked(changed);
    void store.changeSettings({ budget: changed });
  };
  const numberField = (
    key: 'head' | 'residual' | 'utilisationPercent' | 'growth' | 'supplement',
    label: string,
    unit: string,
  ) => (
    <NumberField
      label={label}
      unit={unit}
      value={texts[key] ?? String(asked[key])}
      onValue={(text) => {
        setTexts({ ...texts, [key]: text });
        const value = typed(text);
        if (value !== null) change({ [key]: value });
      }}
    />
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
  let budget: FeedBudget | string;
  try {
    budget = budgetOf(asked, view, total, hectares);
  } catch (error) {
    budget = messageOf(error);
  }
  return (
    <section class="card">
      <h2>Feed budget</h2>
      {typeof budget === 'string' ? <p class="warn">{budget}</p> : <Days budget={budget} />}
      <div class="two">
        {numberField('head', 'Animals', 'head')}
        {numberField('growth', 'Growth', 'kg DM/ha a day')}
      </div>
      <label class="field">
        Kind
        <select value={asked.animal} onChange={(event) => change({ animal: event.currentTarget.value })}>
          {[...Object.keys(DSE_RATINGS), CATTLE].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Choices
        legend="What is left"
        choices={{ residual: 'A residual', utilisation: 'A share' }}
        value={asked.leave}
        onValue={(leave) => change({ leave })}
      />
      <div class="two">
        {asked.leave === 'residual'
          ? numberField('residual', 'Left standing', 'kg DM/ha')
          : numberField('utilisationPercent', 'Eaten', '%')}
        {numberField('supplement', 'Fed besides', 'kg DM a day')}
      </div>
    </section>
  );
}

function budgetOf(
  { head, animal, leave, residual, utilisationPercent, growth, supplement }: Asked,
  view: VisitView,
  total: NonNullable<VisitView['kgDmPerHa']['total']>,
  hectares: NonNullable<VisitView['hectares']>,
): FeedBudget {
  const isCattle = animal === CATTLE;
  return feedBudget({
    ...feedOnOffer(total, view.cuttingHeightCentimetres),
    hectares,
    leave:
      leave === 'residual'
        ? { kind: 'residual', kgDmPerHa: residual }
        : { kind: 'utilisation', share: utilisationPercent / 100 },
    growth,
    supplement,
    head,
    unitsPerHead: isCattle ? 1 : (DSE_RATINGS[animal as keyof typeof DSE_RATINGS] ?? 1),
    unit: isCattle ? adultEquivalent('moderate') : DSE,
  });
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
        {rounded(available)} kg DM to eat, {rounded(netDemand)} kg DM eaten a day.{' '}
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
