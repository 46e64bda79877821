import { useState } from 'preact/hooks';
import { instantOf } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import type { KeptPhoto } from '../store/records.ts';
import { guessFor, placePhoto } from '../visits/visits.ts';
import { NewPaddock } from './new-paddock.tsx';
import { PaddockSelect } from './paddock-select.tsx';
import { Picture } from './picture.tsx';
import { Problem } from './problem.tsx';
import { dayAndTime, timeWithSeconds } from './words.ts';
import { useWork } from './work.ts';

/** So many are shown; more would hold up those that are being kept. */
const SHOWN = 6;

/** When photos were taken, from the first to the last. */
function spanWords(inOrder: readonly KeptPhoto[]): string {
  const moments = [inOrder[0], inOrder.at(-1)].flatMap((photo) => photo?.record.capturedAt ?? []);
  return [...new Set(moments.map(dayAndTime))].join(' to ');
}

/** Says that all of some photos show one paddock, as those of one walk do. */
export function PlaceAll({
  photos,
  areListed = false,
}: {
  readonly photos: readonly KeptPhoto[];
  /** Whether they are shown beside it anyway. */
  readonly areListed?: boolean;
}) {
  const { store } = useApp();
  const [chosen, setChosen] = useState<string | null>(null);
  const { isRunning, problem, run } = useWork();
  const [first] = photos;
  const inOrder = [...photos].sort((a, b) => instantOf(a.record.capturedAt) - instantOf(b.record.capturedAt));
  if (!useMayRecord() || !first) return null;
  const paddockId = chosen ?? guessFor(store, first)?.paddock?.id ?? '';
  const place = (id: string): Promise<void> =>
    run(async () => {
      // In the order they were taken, so that a walk begins with its first.
      for (const photo of inOrder) await placePhoto(store, photo, id);
    });
  return (
    <section class="card narrow" aria-label="Photos without a paddock">
      <h2>{countOf(photos.length, 'photo')} without a paddock</h2>
      <p class="quiet">
        {spanWords(inOrder)}
        {!areListed && inOrder.length > SHOWN && `; the first ${SHOWN} of them`}
      </p>
      {!areListed && (
        <ul class="photos">
          {inOrder.slice(0, SHOWN).map((photo) => (
            <li key={photo.id}>
              <a href={addressOf('photo', photo.id)}>
                <Picture photo={photo} small />
                <span class="quiet">{timeWithSeconds(photo.record.capturedAt)}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {store.paddocks.value.size > 0 && (
        <form
          class="beside"
          onSubmit={(event) => {
            event.preventDefault();
            void place(paddockId);
          }}
        >
          <PaddockSelect
            class="grow"
            label="All of them show"
            value={paddockId}
            onValue={setChosen}
            required
          />
          <button type="submit" class="main" disabled={paddockId === '' || isRunning}>
            Keep
          </button>
        </form>
      )}
      {store.paddocks.value.size === 0 && <NewPaddock onMade={({ id }) => place(id)} />}
      <Problem of={problem} />
    </section>
  );
}
