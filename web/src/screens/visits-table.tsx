import { countOf } from '../../../src/ground/counts.ts';
import { Page } from '../parts/page.tsx';
import { day, number, rounded, timesInTen } from '../parts/words.ts';
import { useApp } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { leftOutWords } from '../visits/left-out.ts';
import { knownRuns, viewVisit } from '../visits/visits.ts';

/** How often an interval holds, where that is other than the column's heading says. */
const shareWords = (coverage: number): string => {
  const often = timesInTen(coverage);
  return often === 9 ? '' : `, ${often} in 10`;
};

/** Every visit, the newest first. */
export function VisitsTable() {
  const { store, estimator } = useApp();
  const runs = knownRuns(store, estimator.state.value);
  const rows = [...store.visits.value.values()]
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .flatMap((visit) => {
      const paddock = store.paddocks.value.get(visit.paddockId);
      return paddock ? [{ visit, paddock, view: viewVisit(store, visit, paddock, runs) }] : [];
    });
  return (
    <Page title="Visits" phoneBack="#/more">
      {rows.length === 0 ? (
        <p>No visit yet.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="scroll" aria-label="Visits" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>Paddock</th>
                <th class="number">kg DM/ha</th>
                <th class="number">9 in 10 between</th>
                <th class="number desk-only">kg DM in all</th>
                <th class="number desk-only">Photos</th>
                <th class="number desk-only">Cuts</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ visit, paddock, view }) => {
                const { total } = view.kgDmPerHa;
                return (
                  <tr key={visit.id}>
                    <td>
                      <a class="place" href={addressOf('visit', visit.id)}>
                        {paddock.name}
                      </a>
                      <span class="quiet">
                        {day(visit.startedAt)}
                        {total &&
                          `, ${total.source === 'measured' ? 'measured' : `modelled, ${view.run?.name ?? ''}`}`}
                        <br class="phone-only" />
                        <span class="phone-only">
                          {countOf(view.photos, 'photo')}, {countOf(total?.cuts ?? 0, 'cut')}
                        </span>
                        {leftOutWords(view).map((words) => (
                          <span key={words} class="place">
                            {words}
                          </span>
                        ))}
                      </span>
                    </td>
                    <td class="number">{total ? number(total.mean) : '–'}</td>
                    <td class="number">
                      {total?.interval
                        ? `${number(total.interval.low)} and ${number(total.interval.high)}${shareWords(total.interval.coverage)}`
                        : '–'}
                    </td>
                    <td class="number desk-only">
                      {view.paddockTotal ? rounded(view.paddockTotal.value) : '–'}
                    </td>
                    <td class="number desk-only">{view.photos}</td>
                    <td class="number desk-only">{total?.cuts ?? 0}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
      )}
    </Page>
  );
}
