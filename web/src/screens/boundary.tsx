import { useState } from 'preact/hooks';
import { Boundary, boundaryHectares, type Paddock } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { FarmMap } from '../map/farm-map.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useWork } from '../parts/work.ts';
import { useApp, usePositions } from '../shell/app-context.ts';
import { addressOf, goInstead } from '../shell/route.ts';

type Corner = readonly [longitude: number, latitude: number];

/** A boundary of corners in order; the first is closed by itself. */
const closed = (corners: readonly Corner[]) =>
  Boundary.safeParse({ type: 'Polygon', coordinates: [[...corners, corners[0]]] });

/** Draws a paddock's boundary: by tapping its corners, or by walking from one to the next. */
export function DrawBoundary({ paddock }: { readonly paddock: Paddock }) {
  const { store } = useApp();
  const positions = usePositions();
  const [corners, setCorners] = useState<readonly Corner[]>([]);
  const { run, problem } = useWork();
  const state = positions.state.value;
  const here = state.kind === 'found' ? state.position : null;
  const read = corners.length >= 3 ? closed(corners) : null;
  const back = addressOf('paddock', paddock.id);
  return (
    <Page title={`Draw ${paddock.name}`} back={back}>
      <p>Tap the corners in order on the map, or walk to each and add your position.</p>
      <FarmMap
        paddocks={[...store.paddocks.value.values()]}
        here={here}
        tiles={store.settings.value.tiles}
        corners={corners}
        near={paddock.boundary ?? here}
        onPlace={(longitude, latitude) => setCorners([...corners, [longitude, latitude]])}
      />
      <p role="status">
        {countOf(corners.length, 'corner')}
        {read?.success && `, ${boundaryHectares(read.data).toFixed(2)} ha`}
        {here?.accuracyMetres !== undefined &&
          here?.accuracyMetres !== null &&
          `; position ±${Math.round(here.accuracyMetres)} m`}
      </p>
      {read && !read.success && <p class="warn">{read.error.issues[0]?.message}</p>}
      <div class="two">
        <button
          type="button"
          disabled={!here}
          onClick={() => here && setCorners([...corners, [here.longitude, here.latitude]])}
        >
          Add my position
        </button>
        <button
          type="button"
          disabled={corners.length === 0}
          onClick={() => setCorners(corners.slice(0, -1))}
        >
          Take back
        </button>
      </div>
      <button
        type="button"
        class="main"
        disabled={!read?.success}
        onClick={() =>
          read?.success &&
          void run(async () => {
            await store.changePaddock(paddock.id, { boundary: read.data });
            goInstead('paddock', paddock.id);
          })
        }
      >
        Keep this boundary
      </button>
      <Problem of={problem} />
    </Page>
  );
}
