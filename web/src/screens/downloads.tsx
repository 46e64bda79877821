import { Page } from '../parts/page.tsx';
import { useApp } from '../shell/app-context.ts';

const FILES = [
  ['visits.csv', 'Visits with the means of their paddocks, as the screens show them: a table'],
  ['photos.csv', 'Photos with what the run says of each, not corrected by cuts: a table'],
  ['cuts.csv', 'Cuts with what they weigh, a table'],
  ['farm.geojson', 'Paddocks and photos, for a map'],
  ['data.zip', 'Photos with their cuts, a data folder that sward train takes'],
] as const;

/** What can be taken away. */
export function Downloads() {
  const { sync } = useApp();
  return (
    <Page title="Downloads" phoneBack="#/more">
      {sync.device.value ? (
        <ul class="list narrow">
          {FILES.map(([name, words]) => (
            <li key={name}>
              <a href={`/api/exports/${name}`} download={name}>
                <span class="grow">
                  <strong>{name}</strong>
                  <span class="quiet">{words}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        <p>
          Tables and maps are made by the server. <a href="#/more">Pair this device</a>, or export what is
          here as a zip from the <a href="#/outbox">outbox</a>.
        </p>
      )}
      <p class="quiet narrow">
        <a href="/api/docs">The server's interface for programs</a>
      </p>
    </Page>
  );
}
