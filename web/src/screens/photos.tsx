import { useState } from 'preact/hooks';
import { countOf } from '../../../src/ground/counts.ts';
import { keepPhoto } from '../capture/keep-photo.ts';
import { FileButton } from '../parts/fields.tsx';
import { hasMap, MassMap } from '../parts/mass-map.tsx';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { PlaceAll } from '../parts/place-all.tsx';
import { Problem } from '../parts/problem.tsx';
import { day, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { shownEstimates } from '../visits/shown-estimate.ts';
import { answersOf, placeOf } from '../visits/visits.ts';

/** Photos that are shown before more are asked for. */
const TOGETHER = 60;
const PHOTO = /\.(jpe?g|png|webp|heic|heif|avif|tiff?|bmp)$/i;

/** Files of what was dropped, folders opened to the bottom. */
async function filesOf(items: DataTransferItemList): Promise<File[]> {
  // The list is empty after the first wait.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const found: File[] = [];
  const visit = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isFile) {
      found.push(
        await new Promise<File>((settle, fail) => (entry as FileSystemFileEntry).file(settle, fail)),
      );
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((settle, fail) => reader.readEntries(settle, fail));
      if (some.length === 0) return;
      for (const one of some) await visit(one);
    }
  };
  for (const entry of entries) await visit(entry);
  return found;
}

/** All photos, to be looked through; folders of them are dropped here. */
export function Photos() {
  const { store, estimator } = useApp();
  const mayRecord = useMayRecord();
  const shownOf = shownEstimates(store, estimator.state.value);
  const [shown, setShown] = useState(TOGETHER);
  const [only, setOnly] = useState('all');
  const [isMapped, setMapped] = useState(false);
  const [isOver, setOver] = useState(false);
  const [progress, setProgress] = useState<string | null>(null);
  const { isRunning, problem, run } = useWork();
  const takeIn = (files: readonly File[]): void =>
    void run(async () => {
      const photos = files.filter(({ type, name }) => type.startsWith('image/') || PHOTO.test(name));
      const unread: string[] = [];
      for (const [index, file] of photos.entries()) {
        setProgress(`Keeping ${index + 1} of ${photos.length}`);
        await keepPhoto(store, file, {
          origin: 'chosen',
          at: null,
          position: null,
          tiltDegrees: null,
          visitId: null,
        }).catch((error: unknown) =>
          unread.push(`${file.name}: ${error instanceof Error ? error.message : String(error)}`),
        );
      }
      setProgress(
        `${countOf(photos.length - unread.length, 'photo')} kept; those that were here already stay as they are.`,
      );
      // What has no paddock yet asks for one, all at once.
      setOnly('unplaced');
      if (unread.length > 0) throw new Error(unread.join(' '));
    });
  const answerOf = answersOf(store);
  const photos = [...store.photos.value.values()]
    .filter((photo) => {
      if (only === 'unplaced') return photo.record.visitId === null;
      if (only === 'doubtful')
        return (
          answerOf(photo)?.estimate.outOfDomain.flagged || photo.advice.length > 0 || photo.problem !== null
        );
      return true;
    })
    .sort((a, b) => (a.record.capturedAt < b.record.capturedAt ? 1 : -1));
  return (
    <Page title="Photos" phoneBack="#/more">
      {mayRecord && (
        <section
          class={`drop ${isOver ? 'over' : ''}`}
          aria-label="Photos to be added"
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            const items = event.dataTransfer?.items;
            if (items) void filesOf(items).then(takeIn);
          }}
        >
          <p style={{ marginBottom: '0.75rem' }}>
            <span class="desk-only" style={{ justifyContent: 'center' }}>
              Drop photos or a folder of them here
            </span>
          </p>
          <FileButton accept="image/*" multiple onFiles={takeIn}>
            Choose photos
          </FileButton>
          {progress !== null && <p role="status">{progress}</p>}
          {isRunning && progress === null && <p role="status">Reading</p>}
        </section>
      )}
      <Problem of={problem} />
      <label class="field narrow">
        Show
        <select value={only} onChange={(event) => setOnly(event.currentTarget.value)}>
          <option value="all">all photos</option>
          <option value="unplaced">those without a paddock</option>
          <option value="doubtful">those with advice, or that the run doubts</option>
        </select>
      </label>
      {photos.some((photo) => hasMap(store, photo)) && (
        <button type="button" class="narrow" aria-pressed={isMapped} onClick={() => setMapped(!isMapped)}>
          Where the mass is
        </button>
      )}
      {only === 'unplaced' && photos.length > 0 && <PlaceAll photos={photos} areListed />}
      <p class="quiet">{countOf(photos.length, 'photo')}</p>
      <ul class="photos">
        {photos.slice(0, shown).map((photo) => {
          const estimate = shownOf(photo)?.estimate;
          const total = estimate?.kgDmPerHa.total ?? null;
          return (
            <li key={photo.id}>
              <a href={addressOf('photo', photo.id)}>
                {isMapped && hasMap(store, photo) ? (
                  <MassMap photo={photo} small />
                ) : (
                  <Picture photo={photo} small />
                )}
                <strong>{total === null ? 'Waits' : number(total)}</strong>
                {estimate?.outOfDomain.flagged && ' · doubtful'}
                <span class="quiet place">
                  {day(photo.record.capturedAt)}, {placeOf(store, photo).paddock?.name ?? 'no paddock'}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
      {photos.length > shown && (
        <button type="button" onClick={() => setShown(shown + TOGETHER)}>
          Show more
        </button>
      )}
    </Page>
  );
}
