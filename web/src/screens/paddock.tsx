import { useState } from 'preact/hooks';
import {
  hectaresWarning,
  type Paddock,
  Paddock as PaddockSchema,
  paddockHectares,
} from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { now } from '../capture/moment.ts';
import { FarmMap } from '../map/farm-map.tsx';
import { NumberField, TextField, typed } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { VisitsPlot } from '../parts/plot.tsx';
import { Problem } from '../parts/problem.tsx';
import { day, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import { photoPoints } from '../visits/photo-points.ts';
import { knownRuns, requireFreeName, viewVisit, visitAt, visitsOf } from '../visits/visits.ts';
import { Budget } from './budget.tsx';
import { RemoveRecord } from './remove-record.tsx';
import { VisitMeans } from './visit-means.tsx';

/** A paddock: what stands in it, how that has gone, and how long it feeds. */
export function PaddockScreen({ paddock }: { readonly paddock: Paddock }) {
  const { store, estimator } = useApp();
  const mayRecord = useMayRecord();
  const { run } = useWork();
  const runs = knownRuns(store, estimator.state.value);
  const visits = visitsOf(store, paddock.id).map((visit) => ({
    visit,
    view: viewVisit(store, visit, paddock, runs),
  }));
  const [last] = visits;
  const plotted = visits.flatMap(({ visit, view }) => {
    const { total } = view.kgDmPerHa;
    return total ? [{ at: visit.startedAt, mean: total.mean, interval: total.interval }] : [];
  });
  return (
    <Page title={paddock.name} back="#/paddocks">
      <div class="columns">
        <div>
          {last ? (
            <VisitMeans visit={last.visit} paddock={paddock} />
          ) : (
            <p>No visit yet. Photograph a frame, and say that it is of this paddock.</p>
          )}
          {plotted.length > 0 && (
            <section class="card">
              <h2>Visits</h2>
              <VisitsPlot visits={plotted} />
              <ul>
                {visits.map(({ visit, view }) => (
                  <li key={visit.id}>
                    <a href={addressOf('visit', visit.id)}>{day(visit.startedAt)}</a>:{' '}
                    {countOf(view.photos, 'photo')}
                    {view.kgDmPerHa.total && `, ${number(view.kgDmPerHa.total.mean)} kg DM/ha`}
                  </li>
                ))}
              </ul>
            </section>
          )}
        </div>
        <div>
          {last && <Budget view={last.view} paddock={paddock} />}
          {paddock.boundary && (
            <FarmMap
              paddocks={[paddock]}
              points={photoPoints(store, estimator.state.value, paddock.id)}
              here={null}
              tiles={store.settings.value.tiles}
            />
          )}
          {mayRecord && <About key={paddock.id} paddock={paddock} />}
          {mayRecord && (
            <button
              type="button"
              onClick={() =>
                void run(async () => {
                  const { visit, isNew } = visitAt(store, paddock.id, now());
                  if (isNew) await store.save('visit', visit);
                  goTo('cut', 'new', visit.id);
                })
              }
            >
              Cut a frame here
            </button>
          )}
          <RemoveRecord
            kind="paddock"
            id={paddock.id}
            stays={visits.length > 0 ? 'Visits belong to this paddock, so it stays.' : null}
            leave={() => goTo('paddocks')}
          />
        </div>
      </div>
    </Page>
  );
}

/** What is known of the land itself. */
function About({ paddock }: { readonly paddock: Paddock }) {
  const { store } = useApp();
  // What is not typed here is as it is known, which another device may change meanwhile.
  const [typedName, setName] = useState<string | null>(null);
  const [typedText, setText] = useState<string | null>(null);
  const knownText = paddock.hectares === null ? '' : String(paddock.hectares);
  const name = typedName ?? paddock.name;
  const text = typedText ?? knownText;
  const { run, problem } = useWork();
  const drawn = paddockHectares({ ...paddock, hectares: null });
  const warning = hectaresWarning(paddock);
  const save = (): void =>
    void run(async () => {
      const read = PaddockSchema.safeParse({
        ...paddock,
        name,
        hectares: text.trim() === '' ? null : typed(text),
      });
      if (!read.success || (text.trim() !== '' && typed(text) === null)) {
        throw new Error('Give a name, and hectares as a number above 0, or none.');
      }
      const { name: called, hectares } = read.data;
      if (called !== paddock.name) requireFreeName(store, read.data);
      await store.changePaddock(paddock.id, {
        ...(called !== paddock.name && { name: called }),
        ...(hectares !== paddock.hectares && { hectares }),
      });
      setName(null);
      setText(null);
    });
  const isChanged = name !== paddock.name || text !== knownText;
  return (
    <section class="card">
      <h2>The paddock</h2>
      <TextField label="Name" value={name} maxLength={200} onValue={setName} />
      <NumberField
        label="Size"
        unit={drawn ? `ha; drawn, ${drawn.value.toFixed(2)}` : 'ha'}
        value={text}
        onValue={setText}
      />
      {warning !== null && <p class="warn">{warning}</p>}
      <div class="two">
        <a class="button" href={addressOf('boundary', paddock.id)}>
          {paddock.boundary ? 'Draw anew' : 'Draw it'}
        </a>
        <button type="button" class={isChanged ? 'main' : ''} disabled={!isChanged} onClick={save}>
          Keep
        </button>
      </div>
      <Problem of={problem} />
    </section>
  );
}
