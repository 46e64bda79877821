import { guessPaddock } from '../../../src/farm/index.ts';
import type { LoadProgress } from '../engine/download.ts';
import { FileButton } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { PlaceAll } from '../parts/place-all.tsx';
import { Problem } from '../parts/problem.tsx';
import { CameraButton, useTakenPhotos } from '../parts/take-photos.tsx';
import { dayAndTime, megabytes, number } from '../parts/words.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { frameArea } from '../store/settings.ts';
import { photoItem, wordsOf } from '../sync/sync.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { placeOf, unplacedTogether } from '../visits/visits.ts';

/** How many photos are shown below the buttons. */
const SHOWN = 12;

/** The first screen: take a photo. */
export function TakePhoto() {
  const { store, sync, estimator } = useApp();
  const shownOf = shownEstimates(store, estimator.state.value);
  const mayRecord = useMayRecord();
  const { isRunning, problem, keep } = useTakenPhotos();
  const { frame } = store.settings.value;
  const waiting = unplacedTogether(store);
  const photos = [...store.photos.value.values()].sort((a, b) =>
    a.record.capturedAt < b.record.capturedAt ? 1 : -1,
  );
  return (
    <Page title={mayRecord ? 'Photograph a frame' : 'Photos'}>
      {mayRecord ? (
        <div class="narrow column">
          <CameraButton
            class="main shutter"
            words="Take a photo"
            onFiles={(files) => keep(files, 'camera')}
          />
          <div class="two">
            <FileButton accept="image/*" multiple onFiles={(files) => keep(files, 'chosen')}>
              From the gallery
            </FileButton>
            <a class="button" href="#/camera">
              With a guide
            </a>
          </div>
          {isRunning && <p role="status">Keeping the photo</p>}
          <Problem of={problem} />
          <Where />
          <p class="quiet">
            Frame {frame.widthCentimetres} × {frame.depthCentimetres} cm ({frameArea(store.settings.value)}{' '}
            m²). <a href="#/more">Another frame</a>. Fill the picture with the inside of the frame, from
            straight above.
          </p>
          <ModelLine />
        </div>
      ) : (
        <div class="narrow column">
          <OnlyLooks />
          <ModelLine />
        </div>
      )}
      {waiting.length > 1 && <PlaceAll key={waiting[0]?.id} photos={waiting} />}
      {photos.length > 0 && (
        <section>
          <h2 style={{ marginBottom: '0.5rem' }}>Last photos</h2>
          <ul class="list">
            {photos.slice(0, SHOWN).map((photo) => {
              const estimate = shownOf(photo)?.estimate;
              const total = estimate?.kgDmPerHa.total ?? null;
              const { paddock } = placeOf(store, photo);
              return (
                <li key={photo.id}>
                  <a href={addressOf('photo', photo.id)}>
                    <Picture photo={photo} small />
                    <span class="grow">
                      <strong>{paddock?.name ?? 'Which paddock?'}</strong>
                      <span class="quiet">
                        {dayAndTime(photo.record.capturedAt)}
                        {estimate?.outOfDomain.flagged && ', doubtful'}
                        <br />
                        {photoItem(store, photo.id)?.refused == null
                          ? wordsOf(
                              photoItem(store, photo.id),
                              sync.sending.value,
                              sync.device.value !== null,
                            )
                          : 'refused: the outbox says why'}
                      </span>
                    </span>
                    <span class="end">
                      {total === null ? (
                        '–'
                      ) : (
                        <>
                          {number(total)}
                          <br />
                          <span class="quiet">kg/ha</span>
                        </>
                      )}
                    </span>
                  </a>
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </Page>
  );
}

/** What is said in the place of what a viewer may not do. */
export const OnlyLooks = () => (
  <p class="narrow">This device was paired to look. Photos, paddocks and cuts are recorded on others.</p>
);

/** Where the next photo will be. */
function Where() {
  const { store, positions } = useApp();
  const state = positions.state.value;
  if (state.kind === 'denied') return <p class="quiet">{state.why}</p>;
  if (state.kind !== 'found') return <p class="quiet">Looking for your position</p>;
  const { paddock, sure } = guessPaddock(state.position, [...store.paddocks.value.values()]);
  const accuracy = state.position.accuracyMetres;
  return (
    <p>
      {paddock
        ? `In ${paddock.name}${sure ? '' : ', as far as the position tells'}`
        : 'In no paddock that is drawn'}
      {accuracy !== null && <span class="quiet"> (±{Math.round(accuracy)} m)</span>}
    </p>
  );
}

/** Whether this device estimates by itself, and by which run. */
export function ModelLine() {
  const { store, estimator } = useApp();
  const state = estimator.state.value;
  const said = store.answering.value;
  if (state.kind === 'server') {
    return (
      <p class="quiet">
        The farm's run, {state.run.name}, is the server's to evaluate: {state.why}. Photos are kept, sent and
        answered there.
      </p>
    );
  }
  if (state.kind === 'ready') {
    const { keeping } = state.opened;
    return (
      <>
        {said && said.run.hash !== state.run.hash && (
          <div>
            <p class="quiet" id="model-progress">
              {state.run.name} answers on this device until the farm's run, {said.run.name}, is here
              {said.phone.kind === 'making' ? ': the server is making it ready' : ''}.
            </p>
            <Fetched progress={estimator.fetching.value} />
          </div>
        )}
        {!keeping.kept && <p class="quiet">The model is here until the page is closed: {keeping.why}.</p>}
      </>
    );
  }
  if (state.kind === 'failed') {
    return (
      <div class="row">
        <p class="warn grow">No estimates on this device: {state.why} Photos are kept all the same.</p>
        <button type="button" onClick={() => void estimator.open()}>
          Try again
        </button>
      </div>
    );
  }
  const progress = state.progress && state.progress.loaded < state.progress.total ? state.progress : null;
  return (
    <div>
      <p class="quiet" id="model-progress">
        {progress
          ? `Fetching the model, once: ${megabytes(progress.loaded)} of ${megabytes(progress.total)}`
          : 'Opening the model'}
      </p>
      <Fetched progress={progress} />
    </div>
  );
}

function Fetched({ progress }: { readonly progress: LoadProgress | null }) {
  if (!progress) return null;
  return <progress aria-labelledby="model-progress" max={progress.total} value={progress.loaded} />;
}
