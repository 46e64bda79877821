import { render } from 'preact';
import { config } from 'zod';
import { HeicPictures } from './capture/heic-pictures.ts';
import { Positions } from './capture/positions.ts';
import { Estimator } from './estimate/estimator.ts';
import './app.css';
import { Screens } from './screens/screens.tsx';
import { AppContext } from './shell/app-context.ts';
import { narrowPictures } from './shell/picture-policy.ts';
import { followRoute } from './shell/route.ts';
import { followTheme } from './shell/theme.ts';
import { Updates } from './shell/updates.ts';
import { FarmStore } from './store/farm-store.ts';
import { openKeeping } from './store/keeping.ts';
import { MassMaps } from './sync/mass-maps.ts';
import { followUnsent, Sync } from './sync/sync.ts';

// Schemas are run as they are: the page's policy lets nothing be compiled.
config({ jitless: true });

const keeping = await openKeeping(() => location.reload());
const store = await FarmStore.open(keeping);
const route = followRoute();
const app = {
  store,
  estimator: new Estimator(store),
  sync: new Sync(store),
  maps: new MassMaps(),
  heicPictures: new HeicPictures(store),
  positions: new Positions(),
  updates: new Updates(),
};
followTheme(store);
narrowPictures(store.settings.value.tiles);
const root = document.getElementById('app') as HTMLElement;
render(
  <AppContext.Provider value={app}>
    <Screens route={route} />
  </AppContext.Provider>,
  root,
);

void app.updates.begin();
app.estimator.begin();
await app.sync.begin();
// Only now: what was unsent before a loss is read first.
followUnsent(store);
