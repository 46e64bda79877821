import { keepPhoto } from '../capture/keep-photo.ts';
import { useApp, usePositions } from '../shell/app-context.ts';
import { goTo } from '../shell/route.ts';
import type { PhotoOrigin } from '../store/records.ts';
import { FileButton } from './fields.tsx';
import { useWork } from './work.ts';

/** Keeps photos as the camera or the gallery gives them, and shows the one where it is one. */
export function useTakenPhotos() {
  const { store } = useApp();
  const positions = usePositions();
  const { isRunning, problem, run } = useWork();
  const keep = (files: readonly File[], origin: PhotoOrigin): void =>
    void run(async () => {
      const from = location.hash;
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
      const isHere = location.hash === from;
      if (isHere && kept[0] !== undefined && kept.length === 1) goTo('photo', kept[0]);
      if (unread.length > 0) throw new Error(unread.join(' '));
    });
  return { isRunning, problem, keep };
}

interface CameraButtonProps {
  readonly words: string;
  readonly class: string;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Opens the phone's own camera. */
export function CameraButton({ words, class: place, onFiles }: CameraButtonProps) {
  const { positions } = useApp();
  return (
    <FileButton
      class={place}
      accept="image/*"
      capture="environment"
      onOpen={() => positions.start()}
      onFiles={onFiles}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M4 8h3l2-3h6l2 3h3v11H4zM12 17a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7" />
      </svg>
      {words}
    </FileButton>
  );
}
