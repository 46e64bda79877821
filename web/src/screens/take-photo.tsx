import { guessPaddock } from '../../../src/farm/index.ts';
import { keepPhoto } from '../capture/keep-photo.ts';
import type { LoadProgress } from '../engine/download.ts';
import { FileButton } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { Problem } from '../parts/problem.tsx';
import { dayAndTime, megabytes, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, usePositions } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import type { PhotoOrigin } from '../store/records.ts';
import { frameArea } from '../store/settings.ts';
import { photoItem, wordsOf } from '../sync/sync.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { placeOf } from '../visits/visits.ts';

/** How many photos are shown below the buttons. */
const SHOWN = 12;

/** The first screen: take a photo. */
export function TakePhoto() {
  const { store, sync, estimator } = useApp();
  const shownOf = shownEstimates(store, estimator.state.value);
  const positions = usePositions();
  const { isRunning, problem, run } = useWork();
  const keep = (files: readonly File[], origin: PhotoOrigin): void =>
    void run(async () => {
      const kept: string[] = [];
      const unread: string[] = [];
      for (const file of files) {
        // A camera writes its file when the shutter is pressed; what is chosen was taken some other day, somewhere else.
        const at = origin === 'camera' ? new Date(file.lastModified) : null;
        const position = at && positions.at(at.getTime());
        try {
          kept.push(
            (await keepPhoto(store, file, { origin, at, position, tiltDegrees: null, visitId: null })).id,
          );
        } catch (error) {
          unread.push(`${file.name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      // Who has gone on meanwhile is left where they are.
      const isHere = /^(#\/?)?$/.test(location.hash);
      if (isHere && kept[0] !== undefined && kept.length === 1) goTo('photo', kept[0]);
      if (unread.length > 0) throw new Error(unread.join(' '));
    });
  const { frame } = store.settings.value;
  const photos = [...store.photos.value.values()].sort((a, b) =>
    a.record.capturedAt < b.record.capturedAt ? 1 : -1,
  );
  return (
    <Page title="Photograph a frame">
      <div class="narrow" style={{ display: 'grid', gap: '0.75rem' }}>
        <FileButton
          class="main shutter"
          accept="image/*"
          capture="environment"
          onOpen={() => positions.start()}
          onFiles={(files) => keep(files, 'camera')}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M4 8h3l2-3h6l2 3h3v11H4zM12 17a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7" />
          </svg>
          Take a photo
        </FileButton>
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
          Frame {frame.widthCentimetres} × {frame.depthCentimetres} cm ({frameArea(store.settings.value)} m²).{' '}
          <a href="#/more">Another frame</a>. Fill the picture with the inside of the frame, from straight
          above.
        </p>
        <ModelLine />
      </div>
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
                        <br />
                        {wordsOf(photoItem(store, photo.id), sync.sending.value, sync.device.value !== null)}
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
  const { progress } = state;
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
