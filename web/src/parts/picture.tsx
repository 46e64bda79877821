import { useEffect, useState } from 'preact/hooks';
import { lookAt } from '../capture/picture.ts';
import { useApp } from '../shell/app-context.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { KeptPhoto } from '../store/records.ts';
import { ask } from '../sync/farm-server.ts';

/** Shows a blob for as long as it is shown. */
function useAddress(load: () => Promise<Blob | null>, key: string): string | null | undefined {
  const [address, setAddress] = useState<string | null>();
  useEffect(() => {
    let made: string | null = null;
    let isGone = false;
    void load()
      .catch(() => null)
      .then((blob) => {
        if (isGone) return;
        made = blob && URL.createObjectURL(blob);
        setAddress(made);
      });
    return () => {
      isGone = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [key]);
  return address;
}

/** Keeps a copy to be seen of a photo that this browser does not show. @returns whether there is one */
async function copyOf({ id }: KeptPhoto, { keeping }: FarmStore): Promise<boolean> {
  if (await keeping.thumb(id)) return true;
  const file = (await keeping.file(id)) ?? (await (await ask(`/api/photos/${id}/file`)).blob());
  const looked = await lookAt(file);
  if (looked) await keeping.write({ thumbs: [{ id, blob: looked.thumb }] });
  return looked !== null;
}

/** A photo, from this device or else from the server. */
export function Picture({ photo, small = false }: { readonly photo: KeptPhoto; readonly small?: boolean }) {
  const { store } = useApp();
  const { id, storedAt, record } = photo;
  const [isUnseen, setUnseen] = useState(false);
  const [isCopied, setCopied] = useState(false);
  const local = useAddress(
    async () => (small || isCopied ? await store.keeping.thumb(id) : null) ?? (await store.keeping.file(id)),
    `${id} ${small} ${isCopied}`,
  );
  const remote = storedAt === null ? null : `/api/photos/${id}/file`;
  const source = local ?? (local === null ? remote : null);
  const words = `Frame photographed ${new Date(record.capturedAt).toLocaleString('en-AU')}`;
  if (isUnseen || (local !== undefined && source === null)) {
    return (
      <div
        class={small ? 'thumb' : 'photo'}
        role="img"
        aria-label={`${words}; this browser cannot show it`}
      />
    );
  }
  if (source === null) return <div class={small ? 'thumb' : 'photo'} />;
  return (
    <img
      class={small ? 'thumb' : 'photo'}
      src={source}
      alt={words}
      loading="lazy"
      decoding="async"
      onError={() => {
        if (isCopied) return setUnseen(true);
        void copyOf(photo, store).then(
          (isThere) => (isThere ? setCopied(true) : setUnseen(true)),
          () => setUnseen(true),
        );
      }}
    />
  );
}
