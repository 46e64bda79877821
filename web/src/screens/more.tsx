import { graphicsRuntime } from 'virtual:onnx-runtime';
import { useEffect, useState } from 'preact/hooks';
import { countOf } from '../../../src/ground/counts.ts';
import { LARGEST_FRAME, LEAST_FRAME } from '../../../src/pasture/units.ts';
import { graphicsWords, hasGraphicsChip } from '../estimate/graphics.ts';
import { Choices, NumberField, TextField, typed } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { megabytes } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { tileOrigins } from '../shell/picture-policy.ts';
import { FrameSize, frameArea, LARGEST_SIDE, LEAST_SIDE } from '../store/settings.ts';
import { ModelLine } from './take-photo.tsx';

/** What is set once, and where else one can go. */
export function More() {
  return (
    <Page title="More">
      <div class="columns">
        <div>
          <FrameSettings />
          <Looks />
          <Tiles />
        </div>
        <div>
          <Server />
          <Storage />
          <ul class="list phone-only">
            {(
              [
                ['#/visits', 'Table of visits'],
                ['#/photos', 'All photos'],
                ['#/runs', 'Runs and training'],
                ['#/downloads', 'Downloads'],
              ] as const
            ).map(([to, words]) => (
              <li key={to}>
                <a href={to}>{words}</a>
              </li>
            ))}
          </ul>
          <RunInUse />
          <GraphicsChip />
        </div>
      </div>
    </Page>
  );
}

function FrameSettings() {
  const { store } = useApp();
  const { frame } = store.settings.value;
  const [width, setWidth] = useState(String(frame.widthCentimetres));
  const [depth, setDepth] = useState(String(frame.depthCentimetres));
  const keep = (wide: string, deep: string): void => {
    const [widthCentimetres, depthCentimetres] = [typed(wide), typed(deep)];
    const read = FrameSize.safeParse({ widthCentimetres, depthCentimetres });
    if (read.success) void store.changeSettings({ frame: read.data });
  };
  const isKept = FrameSize.safeParse({
    widthCentimetres: typed(width),
    depthCentimetres: typed(depth),
  }).success;
  return (
    <section class="card">
      <h2>Frame</h2>
      <div class="two">
        <NumberField
          label="Width"
          unit="cm"
          value={width}
          onValue={(text) => {
            setWidth(text);
            keep(text, depth);
          }}
        />
        <NumberField
          label="Depth"
          unit="cm"
          value={depth}
          onValue={(text) => {
            setDepth(text);
            keep(width, text);
          }}
        />
      </div>
      {!isKept && (
        <p class="warn" role="alert">
          Give width and depth from {LEAST_SIDE} to {LARGEST_SIDE} cm, {LEAST_FRAME} to {LARGEST_FRAME} m²
          together. Until then the frame stays {frame.widthCentimetres} × {frame.depthCentimetres} cm.
        </p>
      )}
      <p class="quiet">
        Inside the frame: {frameArea(store.settings.value)} m². For the photos that are taken from now on.
      </p>
    </section>
  );
}

function Looks() {
  const { store } = useApp();
  return (
    <section class="card">
      <Choices
        legend="Screen"
        choices={{ auto: 'As the device', light: 'Light', dark: 'Dark' }}
        value={store.settings.value.theme}
        onValue={(theme) => void store.changeSettings({ theme })}
      />
    </section>
  );
}

function Tiles() {
  const { store } = useApp();
  const [text, setText] = useState(store.settings.value.tiles);
  const isTiles = text === '' || tileOrigins(text, location.href) !== null;
  return (
    <section class="card">
      <TextField label="Map tiles" value={text} placeholder="https://…/{z}/{x}/{y}.png" onValue={setText} />
      <p class="quiet">
        Without an address maps show boundaries alone and ask nobody. With one, its owner learns which places
        are looked at.
      </p>
      {!isTiles && <p class="warn">Give an https address with {'{z}, {x} and {y}'}, or none.</p>}
      <button
        type="button"
        // What the page may ask for pictures is said when it is loaded, which a page that keeps nothing is never again.
        disabled={!isTiles || text === store.settings.value.tiles || store.keeping.fleeting !== null}
        onClick={() => void store.changeSettings({ tiles: text }).then(() => location.reload())}
      >
        Keep
      </button>
    </section>
  );
}

/** The code of a pairing link, however it was pasted. */
const codeIn = (text: string): string => /pair=([^&\s]+)/.exec(text)?.[1] ?? text.trim();

function Server() {
  const { sync } = useApp();
  const [text, setText] = useState('');
  const { isRunning, problem, run } = useWork();
  const device = sync.device.value;
  return (
    <section class="card">
      <h2>Server</h2>
      {device ? (
        <>
          <p>Paired as {device.name === device.role ? device.name : `${device.name} (${device.role})`}.</p>
          {device.role === 'owner' && (
            <a class="button" href="#/devices">
              Devices
            </a>
          )}
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run(() => sync.pair(codeIn(text)));
          }}
          style={{ display: 'grid', gap: '0.75rem' }}
        >
          <p>Not paired. Open the link that an owner gives you, or paste it here.</p>
          <TextField label="Pairing link" value={text} onValue={setText} />
          <button type="submit" disabled={isRunning || text.trim() === ''}>
            Pair
          </button>
          <Problem of={problem} />
        </form>
      )}
    </section>
  );
}

interface Room {
  readonly used: number;
  readonly quota: number;
  readonly isPersistent: boolean;
}

async function measureRoom(): Promise<Room | null> {
  if (!navigator.storage?.estimate) return null;
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { used: usage, quota, isPersistent: (await navigator.storage.persisted?.()) ?? false };
}

const OFFLINE_WORDS = {
  nothing: 'Opens without a network once it was opened with one.',
  shell: 'Opens without a network, so far without estimates and maps: the rest of the app is being fetched.',
  all: 'Opens without a network.',
} as const;

function Storage() {
  const { store, updates } = useApp();
  const keepsNothing = store.keeping.fleeting !== null;
  const [room, setRoom] = useState<Room | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const look = (): void => void measureRoom().then(setRoom, () => setRoom(null));
  useEffect(look, []);
  return (
    <section class="card">
      <h2>On this device</h2>
      {room && !keepsNothing && (
        <p>
          {megabytes(room.used)} used of {megabytes(room.quota)} that the browser allows.{' '}
          {room.isPersistent
            ? 'The browser keeps it until you remove it.'
            : 'The browser may clear it when the device runs full.'}
        </p>
      )}
      <p class="quiet">
        {keepsNothing
          ? 'This browser keeps nothing for the app: without a network it does not open.'
          : OFFLINE_WORDS[updates.offline.value]}
      </p>
      {room && !room.isPersistent && !keepsNothing && (
        <button
          type="button"
          onClick={() =>
            void navigator.storage.persist().then((isKept) => {
              setSaid(
                isKept ? 'It stays.' : 'The browser does not promise it yet; install the app and ask again.',
              );
              look();
            })
          }
        >
          Ask the browser to keep it
        </button>
      )}
      <button
        type="button"
        disabled={keepsNothing}
        onClick={() =>
          void store.forgetSentFiles().then((count) => {
            setSaid(`${countOf(count, 'photo file')} now on the server only; lists and answers stay.`);
            look();
          })
        }
      >
        Forget sent photo files
      </button>
      {said !== null && <p role="status">{said}</p>}
    </section>
  );
}

function RunInUse() {
  const { estimator } = useApp();
  const state = estimator.state.value;
  if (state.kind !== 'ready') return <ModelLine />;
  const { run, engine, precision, areaSquareMetres } = state.opened.by;
  return (
    <section class="card">
      <h2>The run on this device</h2>
      <p>
        {run.about?.what ?? state.run.name}: {countOf(run.photos, 'photo')} of{' '}
        {countOf(run.sessions, 'visit')}, frame {areaSquareMetres} m².
      </p>
      <details>
        <summary>Licence and engine</summary>
        <p class="quiet">
          {run.about && `${run.about.licence}. ${run.about.attribution} `}
          Weights: {run.licences.join('; ')}. {engine}, {precision}.
        </p>
      </details>
    </section>
  );
}

/** Where this device has a graphics chip: whether it computes, and what came of that. */
function GraphicsChip() {
  const { estimator } = useApp();
  const { graphics } = estimator;
  const [isThere, setThere] = useState(false);
  useEffect(() => void hasGraphicsChip().then(setThere), []);
  const state = graphics.state.value;
  const words = graphicsWords(state);
  if (estimator.state.value.kind === 'server' || !(isThere || words)) return null;
  return (
    <section class="card">
      <Choices
        legend="Use the graphics chip"
        choices={{ off: 'Off', on: 'On' }}
        value={state.kind === 'off' ? 'off' : 'on'}
        onValue={(choice) => void (choice === 'on' ? graphics.turnOn() : graphics.turnOff())}
      />
      {words && <p role="status">{words}</p>}
      {state.kind === 'fetching' && (
        <progress aria-label="Fetched" max={state.progress.total} value={state.progress.loaded} />
      )}
      <p class="quiet">
        Photos may be answered sooner by it. {megabytes(graphicsRuntime.bytes)} are fetched once, about a
        quarter of that on the way. It is used only where it answers as sward does, and sooner.
      </p>
    </section>
  );
}
