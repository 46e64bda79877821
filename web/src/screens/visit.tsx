import type { Paddock, Visit } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { day, number } from '../parts/words.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { cutsOf, photosOf } from '../visits/visits.ts';
import { CutList } from './cuts.tsx';
import { RemoveRecord } from './remove-record.tsx';
import { VisitMeans } from './visit-means.tsx';

/** One walk through a paddock. */
export function VisitScreen({ visit, paddock }: { readonly visit: Visit; readonly paddock: Paddock }) {
  const { store, estimator } = useApp();
  const shownOf = shownEstimates(store, estimator.state.value);
  const mayRecord = useMayRecord();
  const photos = photosOf(store, visit.id);
  const cuts = cutsOf(store, visit.id);
  return (
    <Page title={`${paddock.name}, ${day(visit.startedAt)}`} back={addressOf('paddock', paddock.id)}>
      <div class="columns">
        <div>
          <VisitMeans visit={visit} paddock={paddock} whole />
        </div>
        <div>
          <section>
            <h2>{countOf(photos.length, 'photo')}</h2>
            <ul class="photos">
              {photos.map((photo) => {
                const shown = shownOf(photo);
                const total = shown?.estimate.kgDmPerHa.total ?? null;
                return (
                  <li key={photo.id}>
                    <a href={addressOf('photo', photo.id)}>
                      <Picture photo={photo} small />
                      {total === null ? 'Waits' : number(total)}
                      {shown && !shown.isInMean && (
                        <span class="quiet place">by {shown.said.run.name}, not in the mean</span>
                      )}
                    </a>
                  </li>
                );
              })}
            </ul>
          </section>
          <section>
            <h2>{countOf(cuts.length, 'cut')}</h2>
            <CutList cuts={cuts} />
          </section>
          {mayRecord && (
            <a class="button" href={addressOf('cut', 'new', visit.id)}>
              Cut a frame
            </a>
          )}
          <RemoveRecord
            kind="visit"
            id={visit.id}
            stays={
              photos.length + cuts.length > 0 ? 'Photos or cuts belong to this visit, so it stays.' : null
            }
            leave={() => goTo('paddock', paddock.id)}
          />
        </div>
      </div>
    </Page>
  );
}
