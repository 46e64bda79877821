import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../../../src/ground/errors.ts';
import { keepPhoto } from '../capture/keep-photo.ts';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useWork } from '../parts/work.ts';
import { useApp, usePositions } from '../shell/app-context.ts';
import { goTo } from '../shell/route.ts';

/** Takes still photos at the camera's full size, where browsers have it. */
interface StillCamera {
  takePhoto(): Promise<Blob>;
}
declare const ImageCapture: (new (track: MediaStreamTrack) => StillCamera) | undefined;

/** Asks for the largest picture that the camera gives. */
const WANTED = {
  video: { facingMode: 'environment', width: { ideal: 4096 }, height: { ideal: 3072 } },
} as const;

/** The camera with the frame's shape over it, and how level the phone is. */
export function Camera() {
  const { store } = useApp();
  const positions = usePositions();
  const video = useRef<HTMLVideoElement>(null);
  const [why, setWhy] = useState<string | null>(null);
  const [size, setSize] = useState<{ readonly width: number; readonly height: number } | null>(null);
  const tilt = useTilt();
  const { isRunning, problem, run } = useWork();
  useEffect(() => {
    let stream: MediaStream | null = null;
    let isGone = false;
    void (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia(WANTED);
        if (isGone || !video.current) return stop(stream);
        video.current.srcObject = stream;
        await video.current.play();
      } catch (error) {
        if (!isGone) setWhy(messageOf(error));
      }
    })();
    return () => {
      isGone = true;
      if (stream) stop(stream);
    };
  }, []);
  const shoot = (): void =>
    void run(async () => {
      if (!video.current) return;
      const at = new Date();
      const position = positions.at(at.getTime());
      const blob = await still(video.current);
      const photo = await keepPhoto(store, blob, {
        origin: 'camera',
        at,
        position,
        tiltDegrees: tilt,
        visitId: null,
      });
      goTo('photo', photo.id);
    });
  const { frame } = store.settings.value;
  return (
    <Page title="Photograph a frame" back="#/">
      {why !== null ? (
        <p class="warn">
          The camera does not open here ({why}). <a href="#/">Take the photo with the phone's own camera</a>.
        </p>
      ) : (
        <>
          <div class="finder">
            <video
              ref={video}
              muted
              playsInline
              aria-label="What the camera sees"
              onLoadedMetadata={({ currentTarget: { videoWidth: width, videoHeight: height } }) =>
                setSize({ width, height })
              }
            />
            {size && <Guide size={size} ratio={frame.widthCentimetres / frame.depthCentimetres} />}
          </div>
          <p role="status" class={tilt !== null && tilt > 20 ? 'warn' : 'quiet'}>
            {tilt === null
              ? 'Put the frame on the lines, from straight above.'
              : `Tilted by ${Math.round(tilt)}°. ${tilt > 20 ? 'Hold it level.' : 'Level enough.'}`}
          </p>
          <button type="button" class="main shutter" disabled={!size || isRunning} onClick={shoot}>
            {isRunning ? 'Keeping the photo' : 'Take the photo'}
          </button>
          <Problem of={problem} />
        </>
      )}
    </Page>
  );
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** A photo of what the camera sees: a still where the browser takes one, or else a picture of the film. */
async function still(video: HTMLVideoElement): Promise<Blob> {
  const [track] = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks() : [];
  if (track && typeof ImageCapture !== 'undefined') {
    const taken = await new ImageCapture(track).takePhoto().catch(() => null);
    if (taken) return taken;
  }
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}

/** The frame's shape, as large as it fits with a little ground around it. */
function Guide({
  size: { width, height },
  ratio,
}: {
  readonly size: { width: number; height: number };
  readonly ratio: number;
}) {
  // Long sides lie along one another.
  const shape = ratio >= 1 === width >= height ? ratio : 1 / ratio;
  const wide = Math.min(0.92 * width, 0.92 * height * shape);
  const high = wide / shape;
  const stroke = Math.max(width, height) / 200;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
      <rect
        x={(width - wide) / 2}
        y={(height - high) / 2}
        width={wide}
        height={high}
        fill="none"
        stroke="#000"
        stroke-width={2 * stroke}
      />
      <rect
        x={(width - wide) / 2}
        y={(height - high) / 2}
        width={wide}
        height={high}
        fill="none"
        stroke="#fff"
        stroke-width={stroke}
      />
    </svg>
  );
}

/** Between the camera's axis and straight down, degrees; null where the device does not tell. */
function useTilt(): number | null {
  const [tilt, setTilt] = useState<number | null>(null);
  useEffect(() => {
    const turned = ({ beta, gamma }: DeviceOrientationEvent): void => {
      if (beta === null || gamma === null) return;
      const radians = Math.PI / 180;
      // The camera looks along the back of the device, down when it lies flat.
      const level = Math.cos(beta * radians) * Math.cos(gamma * radians);
      setTilt(Math.acos(Math.max(-1, Math.min(1, level))) / radians);
    };
    addEventListener('deviceorientation', turned);
    return () => removeEventListener('deviceorientation', turned);
  }, []);
  return tilt;
}
