import { useState } from 'preact/hooks';
import { paddockHectares } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { readBoundaries, withOwnNames } from '../map/boundary-files.ts';
import { FarmMap } from '../map/farm-map.tsx';
import { FileButton } from '../parts/fields.tsx';
import { NewPaddock } from '../parts/new-paddock.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { day, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp, useMayRecord, usePositions } from '../shell/app-context.ts';
import { addressOf, goTo } from '../shell/route.ts';
import { photoPoints } from '../visits/photo-points.ts';
import { knownRuns, newPaddock, paddockNamed, viewVisit, visitsOf } from '../visits/visits.ts';

/** So many things that were left out are named. */
const NAMED = 6;

const someOf = (words: readonly string[]): string =>
  words.slice(0, NAMED).join('; ') + (words.length > NAMED ? `; and ${words.length - NAMED} more` : '');

/** The paddocks, as a list and on a map. */
export function Paddocks() {
  const { store, estimator } = useApp();
  const mayRecord = useMayRecord();
  const positions = usePositions();
  const { run, problem } = useWork();
  const [done, setDone] = useState<string | null>(null);
  const paddocks = [...store.paddocks.value.values()].sort((a, b) => a.name.localeCompare(b.name));
  const position = positions.state.value;
  const points = photoPoints(store, estimator.state.value);
  const takeIn = (files: readonly File[]): void =>
    void run(async () => {
      setDone(null);
      let count = 0;
      const leftOut: string[] = [];
      for (const file of files) {
        const boundaries = await file
          .text()
          .then((text) => readBoundaries(file.name, text, (why) => leftOut.push(why)));
        await store.saveAll(
          withOwnNames(boundaries).map(({ name: called, boundary }) => ({
            kind: 'paddock',
            record: { ...(paddockNamed(store, called) ?? newPaddock(called)), boundary },
          })),
        );
        count += boundaries.length;
      }
      setDone(`${countOf(count, 'paddock')} read.`);
      if (leftOut.length > 0) throw new Error(`Left out: ${someOf(leftOut)}.`);
    });
  return (
    <Page title="Paddocks">
      <div class="columns">
        <div>
          {paddocks.length === 0 && (
            <p>
              No paddock yet.{mayRecord && ' Add one by its name, or read a map of them as GeoJSON or KML.'}
            </p>
          )}
          {paddocks.length > 0 && (
            <ul class="list">
              {paddocks.map((paddock) => {
                const [last] = visitsOf(store, paddock.id);
                const view = last && viewVisit(store, last, paddock, knownRuns(store, estimator.state.value));
                const total = view?.kgDmPerHa.total;
                const hectares = paddockHectares(paddock);
                return (
                  <li key={paddock.id}>
                    <a href={addressOf('paddock', paddock.id)}>
                      <span class="grow">
                        <strong>{paddock.name}</strong>
                        <span class="quiet">
                          {hectares ? `${Number(hectares.value.toFixed(2))} ha` : 'size not known'}
                          {last ? `, ${day(last.startedAt)}` : ', no visit yet'}
                        </span>
                      </span>
                      <span class="end">
                        {total ? (
                          <>
                            {number(total.mean)}
                            <br />
                            <span class="quiet">kg DM/ha</span>
                          </>
                        ) : (
                          '–'
                        )}
                      </span>
                    </a>
                  </li>
                );
              })}
            </ul>
          )}
          <NewPaddock onMade={({ id }) => goTo('paddock', id)} />
          {mayRecord && (
            <FileButton
              accept=".geojson,.json,.kml,application/geo+json,application/vnd.google-earth.kml+xml"
              multiple
              onFiles={takeIn}
            >
              Read GeoJSON or KML
            </FileButton>
          )}
          {done !== null && <p role="status">{done}</p>}
          <Problem of={problem} />
        </div>
        <div>
          <FarmMap
            paddocks={paddocks}
            points={points}
            here={position.kind === 'found' ? position.position : null}
            tiles={store.settings.value.tiles}
            onPaddock={(id) => goTo('paddock', id)}
          />
        </div>
      </div>
    </Page>
  );
}
