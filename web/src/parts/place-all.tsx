import { useState } from 'preact/hooks';
import { countOf } from '../../../src/ground/counts.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import type { KeptPhoto } from '../store/records.ts';
import { guessFor, placePhoto } from '../visits/visits.ts';
import { NewPaddock } from './new-paddock.tsx';
import { PaddockSelect } from './paddock-select.tsx';
import { Problem } from './problem.tsx';
import { useWork } from './work.ts';

/** Says that all of some photos show one paddock, as those of one walk do. */
export function PlaceAll({ photos }: { readonly photos: readonly KeptPhoto[] }) {
  const { store } = useApp();
  const [chosen, setChosen] = useState<string | null>(null);
  const { isRunning, problem, run } = useWork();
  const [first] = photos;
  if (!useMayRecord() || !first) return null;
  const paddockId = chosen ?? guessFor(store, first)?.paddock?.id ?? '';
  const place = (id: string): Promise<void> =>
    run(async () => {
      for (const photo of photos) await placePhoto(store, photo, id);
    });
  return (
    <section class="card narrow" aria-label="Photos without a paddock">
      <h2>{countOf(photos.length, 'photo')} without a paddock</h2>
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
