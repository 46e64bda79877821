import { type Cut, cutHistory, cutResult } from '../../../src/farm/index.ts';
import { Page } from '../parts/page.tsx';
import { dayAndTime, grams, number } from '../parts/words.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { bagMark, cutBegun } from '../visits/bag-mark.ts';
import { dueOf } from '../visits/cut-due.ts';

/** The cuts, those that wait for something first. */
export function Cuts() {
  const { store } = useApp();
  const mayRecord = useMayRecord();
  const cuts = [...store.cuts.value.values()];
  const due = new Map(cuts.map((cut) => [cut.id, dueOf(cutHistory(cut.events).state, Date.now())]));
  const waiting = cuts
    .filter(({ id }) => due.get(id)?.kind !== 'done')
    .sort((a, b) => (due.get(a.id)?.at ?? 0) - (due.get(b.id)?.at ?? 0));
  // The latest first, as visits and photos are.
  const begun = (cut: Cut): number => Date.parse(cutBegun(cut)?.at ?? '') || 0;
  const done = cuts
    .filter(({ id }) => due.get(id)?.kind === 'done')
    .sort((a, b) => begun(b) - begun(a) || bagMark(a).localeCompare(bagMark(b)));
  return (
    <Page title="Cuts">
      <p class="quiet">
        A frame that is photographed, cut, dried and weighed. Five, of two visits or more, can correct this
        farm's estimates; ten do it better.
      </p>
      <div class="two narrow">
        {mayRecord && (
          <a class="button main" href="#/cut/new">
            Cut a frame
          </a>
        )}
        <a class="button" href="#/calibration">
          Calibration
        </a>
      </div>
      <div class="columns">
        <div>
          <section>
            <h2>Waiting</h2>
            {waiting.length === 0 ? <p class="quiet">Nothing waits.</p> : <CutList cuts={waiting} />}
          </section>
        </div>
        <div>
          <section>
            <h2>Weighed dry</h2>
            {done.length === 0 ? <p class="quiet">None yet.</p> : <CutList cuts={done} />}
          </section>
        </div>
      </div>
    </Page>
  );
}

/** Cuts with what each waits for. */
export function CutList({ cuts }: { readonly cuts: readonly Cut[] }) {
  const { store } = useApp();
  if (cuts.length === 0) return null;
  return (
    <ul class="list">
      {cuts.map((cut) => {
        const { state } = cutHistory(cut.events);
        const { words, isLate } = dueOf(state, Date.now());
        const result = cutResult(state);
        const begun = cutBegun(cut);
        const visit = store.visits.value.get(cut.visitId);
        const paddock = visit && store.paddocks.value.get(visit.paddockId);
        return (
          <li key={cut.id}>
            <a href={addressOf('cut', cut.id)}>
              <span class="grow">
                <strong>{paddock?.name ?? 'A paddock that is not here'}</strong>
                <span class="quiet">
                  Bag <b>{bagMark(cut)}</b>
                  {begun && `, ${dayAndTime(begun.at)}`}
                  {begun?.wetGrams != null && `, ${grams(begun.wetGrams)} wet`}
                </span>
                <br />
                <span class={isLate ? 'bad' : 'quiet'}>{words}</span>
              </span>
              <span class="end">
                {result ? (
                  <>
                    {number(result.kgDmPerHa)}
                    <br />
                    <span class="quiet">kg DM/ha</span>
                  </>
                ) : (
                  ''
                )}
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}
