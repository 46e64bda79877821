import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../../src/ground/errors.ts';
import { useApp } from '../shell/app-context.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { type KeptPhoto, keyOf } from '../store/records.ts';
import { Picture } from './picture.tsx';
import { dayAndTime, number } from './words.ts';

/** Whether the server can say where in a photo the mass is: of what it has, by a farm's run that makes maps. */
export function hasMap({ answering, estimates, outbox }: FarmStore, { id, storedAt }: KeptPhoto): boolean {
  const said = answering.value;
  if (!said?.maps || storedAt === null || outbox.value.has(keyOf('photo', id))) return false;
  return estimates.value.get(id)?.some(({ run }) => run.hash === said.run.hash) ?? false;
}

/** A photo, with where the mass is for who wants to see it. */
export function MappedPicture({ photo }: { readonly photo: KeptPhoto }) {
  const { store } = useApp();
  const [isMapped, setMapped] = useState(false);
  if (!hasMap(store, photo)) return <Picture photo={photo} />;
  return (
    <div class="mapped">
      {isMapped ? <MassMap photo={photo} /> : <Picture photo={photo} />}
      <button type="button" aria-pressed={isMapped} onClick={() => setMapped(!isMapped)}>
        Where the mass is
      </button>
    </div>
  );
}

interface Shown {
  readonly address: string;
  readonly scaleTop: number;
}

/** Where in a photo the mass is, as the server draws it. */
export function MassMap({ photo, small = false }: { readonly photo: KeptPhoto; readonly small?: boolean }) {
  const { maps } = useApp();
  const [shown, setShown] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { id, record } = photo;
  useEffect(() => {
    const ending = new AbortController();
    let address: string | null = null;
    maps.of(id, ending.signal).then(
      ({ picture, scaleTop }) => {
        if (ending.signal.aborted) return;
        address = URL.createObjectURL(picture);
        setShown({ address, scaleTop });
      },
      (error: unknown) => {
        if (!ending.signal.aborted) setProblem(messageOf(error));
      },
    );
    return () => {
      ending.abort();
      if (address !== null) URL.revokeObjectURL(address);
    };
  }, [id, record.height?.centimetres]);
  const kind = small ? 'thumb' : 'photo';
  if (!shown) {
    return (
      <>
        <Picture photo={photo} small={small} />
        {problem === null ? (
          !small && <p role="status">The server draws it</p>
        ) : (
          <p class={small ? 'quiet' : 'warn'}>No map: {problem}</p>
        )}
      </>
    );
  }
  const top = `${number(shown.scaleTop)} kg DM/ha`;
  return (
    <figure class="map-of-mass">
      <img
        class={kind}
        src={shown.address}
        alt={`Where the mass is in the frame of ${dayAndTime(record.capturedAt)}: dark where there is none, yellow where there are ${top} or more`}
      />
      <figcaption class="scale">
        <span>0</span>
        <i aria-hidden="true" />
        <span>{small ? number(shown.scaleTop) : top}</span>
      </figcaption>
    </figure>
  );
}
