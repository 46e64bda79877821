import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../shell/app-context.ts';
import type { KeptPhoto } from '../store/records.ts';

/** Shows a blob for as long as it is shown. */
function useAddress(load: () => Promise<Blob | null>, key: string): string | null | undefined {
  const [address, setAddress] = useState<string | null>();
  useEffect(() => {
    let made: string | null = null;
    let isGone = false;
    setAddress(undefined);
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

/** A photo, from this device or else from the server. */
export function Picture({ photo, small = false }: { readonly photo: KeptPhoto; readonly small?: boolean }) {
  const { store, heicPictures } = useApp();
  const { id, storedAt, record } = photo;
  const [isUnseen, setUnseen] = useState(false);
  const local = useAddress(
    async () =>
      isUnseen
        ? heicPictures.of(photo)
        : ((small ? await store.keeping.thumb(id) : null) ?? (await store.keeping.file(id))),
    `${id} ${small} ${isUnseen}`,
  );
  const remote = storedAt === null || isUnseen ? null : `/api/photos/${id}/file`;
  const source = local ?? (local === null ? remote : null);
  const words = `Frame photographed ${new Date(record.capturedAt).toLocaleString('en-AU')}`;
  if (local !== undefined && source === null) {
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
      onError={() => setUnseen(true)}
    />
  );
}
