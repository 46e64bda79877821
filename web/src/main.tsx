import { render } from 'preact';
import { config } from 'zod';
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
import { takeOverEarlierPlans } from './visits/earlier-plans.ts';

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
// Only with what the farm has; a viewer changes nothing of it.
const isFetched = ['idle', 'unpaired'].includes(app.sync.state.value.kind);
if (isFetched && app.sync.device.value?.role !== 'viewer') await takeOverEarlierPlans(store);
// Only now: what was unsent before a loss is read first.
followUnsent(store);
