import { useState } from 'preact/hooks';
import { type Cut, CuttingHeight, cutHistory, FrameArea, heightsOf } from '../../../src/farm/index.ts';
import { momentOf, now } from '../capture/moment.ts';
import { NumberField, TimeField, typed } from '../parts/fields.tsx';
import { PaddockSelect } from '../parts/paddock-select.tsx';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { Problem } from '../parts/problem.tsx';
import { number, timeWithSeconds } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, usePositions } from '../shell/app-context.ts';
import { goInstead } from '../shell/route.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { frameArea } from '../store/settings.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { placedTime } from '../visits/step-time.ts';
import { photosOf, visitAt } from '../visits/visits.ts';

/** When the cut's visit was, of a time that may be half typed. */
const visitTime = (text: string): string =>
  Number.isNaN(Date.parse(text)) ? now() : momentOf(new Date(text));

/** How low this farm cuts: as its cuts so far where they agree, else as on this device last; null: nothing was cut yet. */
function usualHeight({ cuts, settings }: FarmStore): number | null {
  const frames = [...cuts.value.values()].flatMap(({ events }) => cutHistory(events).state.frame ?? []);
  const heights = heightsOf(frames);
  return heights.length === 1 ? (heights[0]?.centimetres ?? null) : settings.value.cuttingHeightCentimetres;
}

/** Begins a cut: where, of which photo, how large, how low. */
export function NewCut({
  visitId,
  photoId: shown,
}: {
  readonly visitId: string | null;
  /** Of the frame that is cut; empty: it is still to be said. */
  readonly photoId: string;
}) {
  const { store, estimator } = useApp();
  const shownOf = shownEstimates(store, estimator.state.value);
  const positions = usePositions();
  const { settings } = store;
  const given = visitId === null ? undefined : store.visit(visitId);
  const [paddockId, setPaddock] = useState(given?.paddockId ?? '');
  const [photoId, setPhoto] = useState(shown);
  const [area, setArea] = useState(String(frameArea(settings.value)));
  const usual = usualHeight(store);
  const [height, setHeight] = useState(usual === null ? '' : String(usual));
  const [time, setTime] = useState('');
  const { run, problem } = useWork();
  const visit = given ?? (paddockId === '' ? null : visitAt(store, paddockId, visitTime(time)).visit);
  const taken = new Set([...store.cuts.value.values()].map((cut) => cut.photoId));
  const photos = visit ? photosOf(store, visit.id).filter(({ id }) => !taken.has(id)) : [];
  const begin = (): void =>
    void run(async () => {
      if (paddockId === '') throw new Error('Choose the paddock.');
      const frameAreaSquareMetres = FrameArea.safeParse(typed(area));
      const cuttingHeightCentimetres = CuttingHeight.safeParse(typed(height));
      if (!frameAreaSquareMetres.success) throw new Error('Give the area inside the frame in m², as 0.21.');
      if (!cuttingHeightCentimetres.success) {
        throw new Error(
          'Give the height of the stubble in cm, 0 for ground level: nobody can tell it afterwards.',
        );
      }
      const photo = photoId === '' ? undefined : store.photos.value.get(photoId);
      const at = placedTime(time, photo?.record.capturedAt ?? given?.startedAt ?? null, new Date());
      const found = given ? { visit: given, isNew: false } : visitAt(store, paddockId, at);
      const cut: Cut = {
        id: crypto.randomUUID(),
        visitId: found.visit.id,
        photoId: photo?.id ?? null,
        events: [
          {
            id: crypto.randomUUID(),
            recordedAt: now(),
            change: {
              kind: 'frame-placed',
              at,
              frameAreaSquareMetres: frameAreaSquareMetres.data,
              cuttingHeightCentimetres: cuttingHeightCentimetres.data,
              // Of another time this device's position now says nothing.
              position: time === '' ? positions.at(Date.now()) : null,
            },
          },
        ],
      };
      await store.changeSettings({ cuttingHeightCentimetres: cuttingHeightCentimetres.data });
      await store.saveAll([
        ...(found.isNew ? [{ kind: 'visit' as const, record: found.visit }] : []),
        { kind: 'cut' as const, record: cut },
      ]);
      goInstead('cut', cut.id);
    });
  return (
    <Page title="Cut a frame" back="#/cuts">
      <form
        class="card narrow"
        onSubmit={(event) => {
          event.preventDefault();
          begin();
        }}
      >
        {store.paddocks.value.size === 0 && (
          <p>
            A cut belongs to a paddock. <a href="#/paddocks">Add one first</a>.
          </p>
        )}
        <PaddockSelect
          label="Paddock"
          value={paddockId}
          disabled={given !== undefined}
          onValue={(id) => {
            setPaddock(id);
            setPhoto('');
          }}
        />
        <fieldset>
          <legend>Photo of this frame, before the cut</legend>
          <div class="choices">
            <label>
              <input type="radio" name="photo" checked={photoId === ''} onChange={() => setPhoto('')} />
              None
            </label>
            {photos.map((photo) => {
              const total = shownOf(photo)?.estimate.kgDmPerHa.total ?? null;
              return (
                <label key={photo.id} class="pictured">
                  <Picture photo={photo} small />
                  <span>
                    <input
                      type="radio"
                      name="photo"
                      checked={photoId === photo.id}
                      onChange={() => setPhoto(photo.id)}
                    />{' '}
                    {timeWithSeconds(photo.record.capturedAt)}
                    {total !== null && <span class="quiet">, {number(total)} kg/ha</span>}
                  </span>
                </label>
              );
            })}
          </div>
        </fieldset>
        <p class="quiet">Only cuts of photographed frames correct what photos say.</p>
        <div class="two">
          <NumberField label="Frame" unit="m²" value={area} onValue={setArea} />
          <NumberField label="Cut at" unit="cm above ground" value={height} onValue={setHeight} required />
        </div>
        <TimeField value={time} onValue={setTime} />
        <button type="submit" class="main">
          Frame is placed
        </button>
        <Problem of={problem} />
      </form>
    </Page>
  );
}
