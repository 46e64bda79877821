import { countOf } from '../../../src/ground/counts.ts';
import { Page } from '../parts/page.tsx';
import { Picture } from '../parts/picture.tsx';
import { Problem } from '../parts/problem.tsx';
import { TwiceButton } from '../parts/twice-button.tsx';
import { day, dayAndTime, megabytes } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { OutboxItem } from '../store/records.ts';
import { type SyncState, wordsOf } from '../sync/sync.ts';

/** What the server does not have yet, and how the sending goes. */
export function Outbox() {
  const { store, sync } = useApp();
  const { isRunning, problem, run } = useWork();
  const items = [...store.outbox.value.values()].sort((a, b) => (a.since < b.since ? -1 : 1));
  const refused = items.filter((item) => item.refused !== null).length;
  const isPaired = sync.device.value !== null;
  const photos = [...store.photos.value.values()];
  const stored = photos.filter(({ storedAt }) => storedAt !== null).length;
  return (
    <Page title="Outbox">
      <section class="card narrow">
        <p role="status">{stateWords(sync.state.value, refused)}</p>
        <p>
          {countOf(photos.length, 'photo')}: {stored} on the server, {photos.length - stored} only here.
        </p>
        <div class="two">
          <button type="button" class="main" disabled={!isPaired} onClick={() => void sync.now()}>
            Send now
          </button>
          <button
            type="button"
            disabled={items.length === 0 || isRunning}
            onClick={() =>
              void run(async () => {
                const { download, unsentZip } = await import('../sync/unsent-zip.ts');
                download(await unsentZip(store), `sward-unsent-${new Date().toISOString().slice(0, 10)}.zip`);
              })
            }
          >
            Export as zip
          </button>
        </div>
        {isPaired && refused > 1 && (
          <button type="button" onClick={() => void sync.allAgain()}>
            Try all {refused} refused again
          </button>
        )}
        <Problem of={problem} />
        {!isPaired && (
          <p class="quiet">
            This device is not paired with a server. Everything stays here and works;{' '}
            <a href="#/more">pair it</a> to keep a second copy and to share.
          </p>
        )}
      </section>
      {items.length === 0 ? (
        <p>Nothing waits.</p>
      ) : (
        <ul class="list">
          {items.map((item) => (
            <Item key={item.key} item={item} />
          ))}
        </ul>
      )}
    </Page>
  );
}

/** @param refused how many things the server has refused */
export function stateWords(state: SyncState, refused: number): string {
  switch (state.kind) {
    case 'unpaired':
      return 'On this device only.';
    case 'offline':
      return 'No way to the server now. It is tried again by itself.';
    case 'working':
      return 'Sending and fetching.';
    case 'failed':
      return `The server could not take it: ${state.why}. It is tried again.`;
    case 'idle':
      if (state.at === '') return 'Paired.';
      return refused > 0
        ? `The server has refused ${countOf(refused, 'thing')}; the rest is sent. Last fetched ${dayAndTime(state.at)}.`
        : `Up to date with the server as it was on ${dayAndTime(state.at)}.`;
  }
}

function Item({ item }: { readonly item: OutboxItem }) {
  const { store, sync } = useApp();
  const photo = item.kind === 'photo' ? store.photos.value.get(item.id) : undefined;
  const fraction = sync.sending.value.get(item.key);
  return (
    <li>
      <a href={addressOf(item.kind, item.id)}>
        {photo && <Picture photo={photo} small />}
        <span class="grow">
          <strong>{nameOf(store, item)}</strong>
          <span class="quiet">
            {item.refused === null && `${wordsOf(item, sync.sending.value, sync.device.value !== null)}, `}
            {photo ? megabytes(photo.bytes) : ''}
          </span>
          {fraction !== undefined && <progress aria-label="sent" max={1} value={fraction} />}
        </span>
      </a>
      {item.refused !== null && (
        <div class="item refusal">
          <p class="bad">{wordsOf(item, sync.sending.value, true)}</p>
          <button type="button" onClick={() => void sync.again(item)}>
            Try again
          </button>
          {photo?.storedAt === null && (
            <TwiceButton
              sure="It was not sent: this is the only copy."
              onSure={() => void store.remove('photo', photo.id)}
            >
              Remove
            </TwiceButton>
          )}
        </div>
      )}
    </li>
  );
}

function nameOf(store: FarmStore, { kind, id }: OutboxItem): string {
  const paddockOf = (visitId: string | null | undefined): string => {
    const visit = store.visits.value.get(visitId ?? '');
    return (visit && store.paddocks.value.get(visit.paddockId)?.name) ?? 'no paddock yet';
  };
  switch (kind) {
    case 'paddock':
      return `Paddock ${store.paddocks.value.get(id)?.name ?? ''}`;
    case 'visit':
      return `Visit, ${paddockOf(id)}, ${day(store.visits.value.get(id)?.startedAt ?? '')}`;
    case 'photo': {
      const record = store.photos.value.get(id)?.record;
      return `Photo, ${paddockOf(record?.visitId)}, ${dayAndTime(record?.capturedAt ?? '')}`;
    }
    case 'cut':
      return `Cut, ${paddockOf(store.cuts.value.get(id)?.visitId)}`;
  }
}
