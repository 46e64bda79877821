import { useState } from 'preact/hooks';
import { type AnsweringRun, type Estimate, type Paddock, usualError } from '../../../src/farm/index.ts';
import { HEIGHT, HEIGHT_METHODS } from '../../../src/pasture/covariates.ts';
import { byMass } from '../../../src/pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../../src/pasture/units.ts';
import { futureWords } from '../capture/future.ts';
import { Choices, NumberField, NumberPad, typed } from '../parts/fields.tsx';
import { heightWords, METHOD_WORDS, typedHeight } from '../parts/height-words.ts';
import { MappedPicture } from '../parts/mass-map.tsx';
import { MassBar, MassTable } from '../parts/masses.tsx';
import { NewPaddock } from '../parts/new-paddock.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { CameraButton, useTakenPhotos } from '../parts/take-photos.tsx';
import { TwiceButton } from '../parts/twice-button.tsx';
import { dayAndTime, number, timesInTen } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import type { KeptPhoto } from '../store/records.ts';
import { ask } from '../sync/farm-server.ts';
import { clockSkew } from '../sync/server-clock.ts';
import { photoItem, wordsOf } from '../sync/sync.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { estimateFor, guessFor, knownRuns, placeOf, placePhoto } from '../visits/visits.ts';
import { ModelLine } from './take-photo.tsx';
import { VisitMeans } from './visit-means.tsx';

/** A photo's answer, and what only who took it knows. */
export function Answer({ id }: { readonly id: string }) {
  const { store, sync } = useApp();
  const mayRecord = useMayRecord();
  const photo = store.photos.value.get(id);
  if (!photo) {
    return (
      <Page title="Photo" back="#/">
        <p>This photo is not on this device.</p>
      </Page>
    );
  }
  const { visit, paddock } = placeOf(store, photo);
  const advice = [
    ...photo.advice,
    futureWords(photo.record.capturedAt, Date.now() + clockSkew()) ?? [],
  ].flat();
  return (
    <Page title={paddock?.name ?? 'Photo'} back="#/">
      <div class="columns">
        <div>
          <Estimated photo={photo} />
          {advice.length > 0 && (
            <ul class="warn" aria-label="Advice">
              {advice.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          )}
          {mayRecord && !paddock && <WhichPaddock photo={photo} />}
          {visit && paddock && <VisitMeans visit={visit} paddock={paddock} />}
        </div>
        <div>
          <MappedPicture key={id} photo={photo} />
          {mayRecord && <Height key={id} photo={photo} />}
          <section class="card">
            <h2>This photo</h2>
            <p>
              {dayAndTime(photo.record.capturedAt)}, frame {photo.record.frameAreaSquareMetres} m².{' '}
              {photo.record.position
                ? `Position at the shutter: ${photo.record.position.latitude.toFixed(5)}, ${photo.record.position.longitude.toFixed(5)}` +
                  (photo.record.position.accuracyMetres === null
                    ? '.'
                    : ` (±${Math.round(photo.record.position.accuracyMetres)} m).`)
                : photo.filePosition
                  ? `No position at the shutter; the file says ${photo.filePosition.latitude.toFixed(5)}, ${photo.filePosition.longitude.toFixed(5)}.`
                  : 'No position.'}
            </p>
            <p role="status">
              {sentence(wordsOf(photoItem(store, id), sync.sending.value, sync.device.value !== null))}
            </p>
            {mayRecord && <CutOf photo={photo} />}
            {mayRecord && <Frame key={id} photo={photo} />}
            {mayRecord && paddock && <WhichPaddock photo={photo} paddock={paddock} />}
            <Remove photo={photo} />
          </section>
        </div>
      </div>
      {mayRecord && <NextPhoto />}
    </Page>
  );
}

/** Opens the camera for the next frame, from wherever on the answer the thumb is. */
function NextPhoto() {
  const { isRunning, problem, keep } = useTakenPhotos();
  return (
    <>
      {isRunning && <p role="status">Keeping the photo</p>}
      <Problem of={problem} />
      <CameraButton
        class="main next phone-only"
        words="Next photo"
        onFiles={(files) => keep(files, 'camera')}
      />
    </>
  );
}

/** Leads to the cut of the frame that a photo shows, or begins one. */
function CutOf({ photo: { id, record } }: { readonly photo: KeptPhoto }) {
  const { store } = useApp();
  const cut = [...store.cuts.value.values()].find(({ photoId }) => photoId === id);
  if (!cut && record.visitId === null) return null;
  return (
    <a
      class="button"
      href={cut ? addressOf('cut', cut.id) : addressOf('cut', 'new', record.visitId ?? '', id)}
    >
      {cut ? 'The cut of this frame' : 'Cut this frame'}
    </a>
  );
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** How far to trust an estimate of one photo, in words. */
export function trustWords(estimate: Estimate): string {
  const { interval, kgDmPerHa, frameAreaSquareMetres, outOfDomain, trainedOn } = estimate;
  if (trainedOn) return 'The run was trained on this very photo: this is memory, not prediction.';
  if (outOfDomain.flagged) {
    return 'This does not look like pasture that the run was trained on: do not rely on the figure.';
  }
  const [total, range] = [kgDmPerHa.total, interval?.total ?? null];
  if (total === null || range === null) return 'How far it may be off is not known.';
  const half = gramsToKilogramsPerHectare((range[1] - range[0]) / 2, frameAreaSquareMetres);
  const share = total > 0 ? half / total : Number.POSITIVE_INFINITY;
  if (share < 0.25) return 'Good for one photo. The mean of several still tells more.';
  if (share < 0.6) return 'Fair for one photo. Rely on the mean of several.';
  return 'Rough: one photo tells whether there is little or much, not how much. Rely on the mean of several.';
}

function Estimated({ photo }: { readonly photo: KeptPhoto }) {
  const { store, estimator } = useApp();
  const shown = shownEstimates(store, estimator.state.value)(photo);
  if (!shown) {
    return (
      <section class="card" aria-live="polite">
        {photo.problem !== null ? (
          <>
            <p class="warn">Not estimated: {photo.problem}</p>
            <p class="quiet">The photo is kept and sent all the same.</p>
          </>
        ) : (
          <p role="status">
            {estimator.current.value === photo.id
              ? 'Estimating'
              : estimator.state.value.kind === 'server'
                ? 'Waits for the server’s estimate'
                : 'Waits to be estimated'}
          </p>
        )}
        <ModelLine />
      </section>
    );
  }
  const { estimate, isCorrected } = shown;
  const said = store.answering.value;
  const { kgDmPerHa, interval, run, engine, precision, frameAreaSquareMetres, outOfDomain } = estimate;
  const hectare = (grams: number): number => gramsToKilogramsPerHectare(grams, frameAreaSquareMetres);
  const range = interval?.total ?? null;
  const { total } = kgDmPerHa;
  return (
    <section class="card" aria-live="polite">
      {outOfDomain.flagged && <p class="warn">{trustWords(estimate)}</p>}
      <div>
        {range && (
          <p>
            Between <strong>{number(hectare(range[0]))}</strong> and{' '}
            <strong>{number(hectare(range[1]))}</strong> in {timesInTen(interval?.coverage ?? 0)} of 10 such
            frames
          </p>
        )}
        <p class={outOfDomain.flagged ? 'figure doubtful' : 'figure'}>
          {total === null ? '–' : number(total)} <small>kg DM/ha</small>
        </p>
        <p class="quiet">
          Modelled by run {run.name}, not measured.
          {isCorrected &&
            ` Corrected by the farm's cuts; the run by itself says ${number(shown.said.kgDmPerHa.total ?? 0)}.`}
          {said && said.run.hash !== run.hash && ` The farm's run is ${said.run.name} now.`}
        </p>
      </div>
      <MassBar kgDmPerHa={kgDmPerHa} />
      {!outOfDomain.flagged && <p class={estimate.trainedOn ? 'warn' : ''}>{trustWords(estimate)}</p>}
      <details>
        <summary>All masses, and by what</summary>
        <div class="scroll">
          <MassTable
            coverage={interval?.coverage ?? null}
            rows={byMass((mass) => {
              const value = kgDmPerHa[mass];
              const where = interval?.[mass] ?? null;
              if (value === null) return null;
              return where ? { value, low: hectare(where[0]), high: hectare(where[1]) } : { value };
            })}
          />
        </div>
        <p class="quiet">
          {dayAndTime(estimate.estimatedAt)}, {engine}, {precision}, run {run.name}{' '}
          <code>{run.hash.slice(0, 12)}</code>
        </p>
      </details>
    </section>
  );
}

/** Asks which paddock a photo shows; a guess is there to be confirmed by a tap. */
function WhichPaddock({ photo, paddock }: { readonly photo: KeptPhoto; readonly paddock?: Paddock }) {
  const { store } = useApp();
  const { run, problem } = useWork();
  const [isChoosing, setChoosing] = useState(paddock === undefined);
  const guess = guessFor(store, photo);
  const likely = guess?.paddock ?? null;
  const place = (id: string): void =>
    void run(async () => {
      await placePhoto(store, photo, id);
      setChoosing(false);
    });
  if (!isChoosing) {
    return (
      <button type="button" onClick={() => setChoosing(true)}>
        Another paddock
      </button>
    );
  }
  const near = new Set(guess?.candidates.map((candidate) => candidate.paddock.id));
  const others = [...store.paddocks.value.values()]
    .filter(({ id }) => id !== likely?.id && id !== paddock?.id)
    .sort((a, b) => Number(near.has(b.id)) - Number(near.has(a.id)) || a.name.localeCompare(b.name));
  return (
    <section class={paddock ? '' : 'card'}>
      <h2>Which paddock?</h2>
      {!photo.record.position && (
        <p class="quiet">
          {photo.filePosition && likely
            ? `The photo's file says ${likely.name}. A file may be wrong, so it asks.`
            : 'This photo has no position of its own, so it asks.'}
        </p>
      )}
      {likely && likely.id !== paddock?.id && (
        <button type="button" class="main" onClick={() => place(likely.id)}>
          {likely.name}
          {guess?.sure ? '' : photo.record.position ? ' (likely, by the position)' : ', as the file says'}
        </button>
      )}
      <div class="choices">
        {others.map(({ id, name: other }) => (
          <button type="button" key={id} onClick={() => place(id)}>
            {other}
          </button>
        ))}
      </div>
      <NewPaddock
        onMade={async ({ id }) => {
          await placePhoto(store, photo, id);
          setChoosing(false);
        }}
      />
      <Problem of={problem} />
    </section>
  );
}

/** What a run is usually off by on a photo that it answered, kg DM/ha; null where it reads no heights. */
function usualErrors(
  runs: readonly AnsweringRun[],
  { run: { hash }, kgDmPerHa: { total } }: Estimate,
): { readonly without: number; readonly with: number } | null {
  const run = runs.find((known) => known.hash === hash);
  if (!run || total === null) return null;
  const [without, withHeight] = [usualError(run, 'total', total), usualError(run, 'total', total, 'height')];
  return without === null || withHeight === null ? null : { without, with: withHeight };
}

/** Asks how high the sward stands. */
function Height({ photo }: { readonly photo: KeptPhoto }) {
  const { store, estimator } = useApp();
  const state = estimator.state.value;
  const said = estimateFor(store, photo);
  // Where another run has answered, what this device's run reads says nothing of the answer.
  const own = state.kind === 'ready' && (!said || said.run.hash === state.run.hash) ? state : null;
  const reads = own
    ? (own.opened.by.covariates.find(({ name }) => name === HEIGHT)?.method ?? null)
    : undefined;
  const { height } = photo.record;
  const [text, setText] = useState(height ? String(height.centimetres) : '');
  const [method, setMethod] = useState(height?.method ?? store.settings.value.heightMethod);
  const offBy = said && usualErrors(knownRuns(store, state), said);
  const [isOpen, setOpen] = useState(false);
  const { run, problem } = useWork();
  const save = (): void =>
    void run(async () => {
      const kept = typedHeight(text, method);
      await store.changeSettings({ heightMethod: method });
      estimator.again(photo.id);
      await store.changePhoto(photo.id, { height: kept });
      setOpen(false);
    });
  return (
    <section class="card">
      <div class="row spread">
        <h2>
          {height
            ? `${height.centimetres} cm, ${METHOD_WORDS[height.method].toLowerCase()}`
            : 'Height of the sward'}
        </h2>
        {!isOpen && (
          <button type="button" onClick={() => setOpen(true)}>
            {height ? 'Change it' : 'Add it'}
          </button>
        )}
      </div>
      <p class="quiet">{heightWords(reads, (isOpen ? method : height?.method) ?? undefined, offBy)}</p>
      {isOpen && (
        <>
          <NumberField label="Height" unit="cm" value={text} onValue={setText} />
          <NumberPad value={text} onValue={setText} />
          <Choices
            legend="Measured with"
            choices={
              Object.fromEntries(
                HEIGHT_METHODS.map((name) => [name, METHOD_WORDS[name]]),
              ) as typeof METHOD_WORDS
            }
            value={method}
            onValue={setMethod}
          />
          <div class="two">
            <button type="button" onClick={() => setOpen(false)}>
              Skip
            </button>
            <button type="button" class="main" onClick={save}>
              Keep
            </button>
          </div>
          <Problem of={problem} />
        </>
      )}
    </section>
  );
}

/** The frame of a photo that was taken with another one than is set. */
function Frame({ photo }: { readonly photo: KeptPhoto }) {
  const { store, estimator } = useApp();
  const [text, setText] = useState<string | null>(null);
  const { run, problem } = useWork();
  if (text === null) {
    return (
      <button type="button" onClick={() => setText(String(photo.record.frameAreaSquareMetres))}>
        Another frame
      </button>
    );
  }
  const save = (): void =>
    void run(async () => {
      const area = typed(text);
      if (area === null || !(area > 0 && area <= 10))
        throw new Error(`${text} m²: give the area inside the frame, as 0.21.`);
      estimator.again(photo.id);
      await store.changePhoto(photo.id, { frameAreaSquareMetres: area });
      setText(null);
    });
  return (
    <div class="beside">
      <div class="grow">
        <NumberField label="Area inside the frame" unit="m²" value={text} onValue={setText} />
      </div>
      <button type="button" class="main" onClick={save}>
        Keep
      </button>
      <Problem of={problem} />
    </div>
  );
}

function Remove({ photo }: { readonly photo: KeptPhoto }) {
  const { store, sync } = useApp();
  const { run, problem } = useWork();
  const isCut = [...store.cuts.value.values()].some(({ photoId }) => photoId === photo.id);
  const isStored = photo.storedAt !== null;
  if (isCut) return <p class="quiet">A cut belongs to this photo, so it stays.</p>;
  if (isStored && sync.device.value?.role !== 'owner') return null;
  return (
    <>
      <TwiceButton
        sure={isStored ? 'It is removed here and on the server.' : 'It was not sent: this is the only copy.'}
        onSure={() =>
          void run(async () => {
            if (isStored) await ask(`/api/photos/${photo.id}`, { method: 'DELETE' });
            goTo();
            await store.remove('photo', photo.id);
          })
        }
      >
        Remove
      </TwiceButton>
      <Problem of={problem} />
    </>
  );
}
