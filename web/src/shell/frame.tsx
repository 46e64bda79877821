import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { countOf, forCount } from '../../../src/ground/counts.ts';
import { useApp } from './app-context.ts';
import type { Route } from './route.ts';

const ICONS = {
  photo: 'M4 8h3l2-3h6l2 3h3v11H4zM12 17a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7',
  paddocks: 'M4 7l6-3 5 2 5-2v13l-5 3-5-2-6 3zM10 4v14M15 6v14',
  cuts: 'M6 20L18 5M18 20L6 5M6 20a2 2 0 1 0 0-4M18 20a2 2 0 1 1 0-4',
  outbox: 'M12 15V4m-4 4 4-4 4 4M4 14v6h16v-6',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  table: 'M4 5h16v14H4zM4 10h16M10 10v9',
  review: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4',
  runs: 'M5 19V9M12 19V5M19 19v-7',
  download: 'M12 4v11m-4-4 4 4 4-4M4 20h16',
} as const;

interface Tab {
  readonly to: string;
  readonly words: string;
  readonly icon: keyof typeof ICONS;
  /** First parts of the addresses that belong to it. */
  readonly holds: readonly string[];
  readonly deskOnly?: boolean;
}

const TABS: readonly Tab[] = [
  { to: '', words: 'Photo', icon: 'photo', holds: ['', 'photo', 'camera'] },
  {
    to: 'paddocks',
    words: 'Paddocks',
    icon: 'paddocks',
    holds: ['paddocks', 'paddock', 'visit', 'map', 'boundary'],
  },
  { to: 'cuts', words: 'Cuts', icon: 'cuts', holds: ['cuts', 'cut', 'calibration'] },
  { to: 'outbox', words: 'Outbox', icon: 'outbox', holds: ['outbox'] },
  { to: 'visits', words: 'Visits', icon: 'table', holds: ['visits'], deskOnly: true },
  { to: 'photos', words: 'Photos', icon: 'review', holds: ['photos'], deskOnly: true },
  { to: 'runs', words: 'Runs', icon: 'runs', holds: ['runs'], deskOnly: true },
  { to: 'downloads', words: 'Downloads', icon: 'download', holds: ['downloads'], deskOnly: true },
  { to: 'more', words: 'More', icon: 'more', holds: ['more', 'devices'] },
];

const PHONE_ONLY = new Set(['visits', 'photos', 'runs', 'downloads']);

/** What stands around every screen: where one can go, and what has to be said. */
export function Frame({
  route,
  children,
}: {
  readonly route: ReadonlySignal<Route>;
  readonly children: ComponentChildren;
}) {
  const { store } = useApp();
  const here = route.value[0] ?? '';
  const waiting = store.outbox.value.size;
  return (
    <div class="app">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <Notices />
      {children}
      <nav class="tabs" aria-label="Screens">
        {TABS.map(({ to, words, icon, holds, deskOnly }) => {
          const isHere = holds.includes(here) || (to === 'more' && PHONE_ONLY.has(here) && !isWide());
          return (
            <a
              key={to}
              href={`#/${to}`}
              class={deskOnly ? 'desk-only' : ''}
              {...(isHere && { 'aria-current': 'page' as const })}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={ICONS[icon]} />
              </svg>
              {words}
              {to === 'outbox' && waiting > 0 && <span class="count">{waiting}</span>}
            </a>
          );
        })}
      </nav>
    </div>
  );
}

const isWide = (): boolean => matchMedia('(min-width: 60rem)').matches;

/** What is to be known on whichever screen. */
function Notices() {
  const { store, sync, updates } = useApp();
  const unsent = store.outbox.value.size;
  return (
    <div class="notices">
      {store.keeping.fleeting !== null && (
        <div class="notice" role="alert">
          <p>
            <strong>Nothing stays here.</strong> This browser allows no storage, so photos are gone when the
            page is closed. Send or export them first, or open the app outside private browsing.
          </p>
          <a class="button" href="#/outbox">
            Outbox
          </a>
        </div>
      )}
      {sync.unknown.value !== null && (
        <div class="notice" role="alert">
          <p>
            <strong>The server does not know this device any more.</strong> What is here stays, and is not
            sent. It was paired as {sync.unknown.value}: ask an owner for a new link.
          </p>
          <a class="button" href="#/more">
            Pair again
          </a>
        </div>
      )}
      {sync.ended.value !== null && (
        <div class="notice" role="alert">
          <p>
            <strong>An owner has ended this device's access.</strong> What it held of the farm was removed
            {unsent > 0
              ? `; ${countOf(unsent, 'thing')} it had not sent ${forCount(unsent, 'is', 'are')} still here. Export ${forCount(unsent, 'it', 'them')} from the outbox, or pair again.`
              : '.'}
          </p>
          {unsent > 0 && (
            <a class="button" href="#/outbox">
              Outbox
            </a>
          )}
          <button type="button" onClick={() => void sync.endingIsRead()}>
            Understood
          </button>
        </div>
      )}
      {sync.restored.value !== null && (
        <div class="notice" role="status">
          <p>{sync.restored}</p>
          <button
            type="button"
            onClick={() => {
              sync.restored.value = null;
            }}
          >
            Understood
          </button>
        </div>
      )}
      {store.notices.value.map(({ id, words }) => (
        <div key={id} class="notice" role="status">
          <p>{words}</p>
          <button type="button" onClick={() => void store.understood(id)}>
            Understood
          </button>
        </div>
      ))}
      {updates.waiting.value && (
        <div class="notice" role="status">
          <p>A newer version is here. What is kept stays.</p>
          <button type="button" onClick={() => updates.take()}>
            Use it
          </button>
        </div>
      )}
    </div>
  );
}
