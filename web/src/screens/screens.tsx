import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Page } from '../parts/page.tsx';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { Frame } from '../shell/frame.tsx';
import type { Route } from '../shell/route.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { Answer } from './answer.tsx';
import { DrawBoundary } from './boundary.tsx';
import { CalibrationScreen } from './calibration.tsx';
import { Camera } from './camera.tsx';
import { CutScreen } from './cut.tsx';
import { Cuts } from './cuts.tsx';
import { Devices } from './devices.tsx';
import { Downloads } from './downloads.tsx';
import { More } from './more.tsx';
import { NewCut } from './new-cut.tsx';
import { Outbox } from './outbox.tsx';
import { PaddockScreen } from './paddock.tsx';
import { Paddocks } from './paddocks.tsx';
import { Pair } from './pair.tsx';
import { Photos } from './photos.tsx';
import { RunsScreen } from './runs.tsx';
import { OnlyLooks, TakePhoto } from './take-photo.tsx';
import { VisitScreen } from './visit.tsx';
import { VisitsTable } from './visits-table.tsx';

/** The screen that an address names. */
export function Screens({ route }: { readonly route: ReadonlySignal<Route> }) {
  const { store } = useApp();
  const isBarred = !useMayRecord() && records(route.value);
  return <Frame route={route}>{isBarred ? <Barred /> : (screenOf(store, route.value) ?? <Nothing />)}</Frame>;
}

/** Whether a screen is there to record something. */
const records = ([name = '', id]: Route): boolean =>
  ['camera', 'boundary'].includes(name) || (name === 'cut' && id === 'new');

function screenOf(store: FarmStore, [name = '', id = '', more, photoId]: Route): ComponentChildren {
  if (name.startsWith('pair=')) return <Pair code={name.slice('pair='.length)} />;
  switch (name) {
    case '':
      return <TakePhoto />;
    case 'camera':
      return <Camera />;
    case 'photo':
      return <Answer key={id} id={id} />;
    case 'paddocks':
      return <Paddocks />;
    case 'paddock': {
      const paddock = store.paddocks.value.get(id);
      return paddock && <PaddockScreen key={id} paddock={paddock} />;
    }
    case 'boundary': {
      const paddock = store.paddocks.value.get(id);
      return paddock && <DrawBoundary key={id} paddock={paddock} />;
    }
    case 'visit': {
      const visit = store.visit(id);
      const paddock = visit && store.paddocks.value.get(visit.paddockId);
      return visit && paddock && <VisitScreen key={id} visit={visit} paddock={paddock} />;
    }
    case 'cuts':
      return <Cuts />;
    case 'cut': {
      if (id === 'new')
        return <NewCut key={`${more} ${photoId}`} visitId={more ?? null} photoId={photoId ?? ''} />;
      const cut = store.cuts.value.get(id);
      return cut && <CutScreen key={id} cut={cut} />;
    }
    case 'calibration':
      return <CalibrationScreen />;
    case 'outbox':
      return <Outbox />;
    case 'visits':
      return <VisitsTable />;
    case 'photos':
      return <Photos />;
    case 'runs':
      return <RunsScreen />;
    case 'downloads':
      return <Downloads />;
    case 'devices':
      return <Devices />;
    case 'more':
      return <More />;
    default:
      return null;
  }
}

function Barred() {
  return (
    <Page title="Not here" back="#/">
      <OnlyLooks />
    </Page>
  );
}

function Nothing() {
  return (
    <Page title="Not here" back="#/">
      <p>This is not on this device. It may be on the server, or on the device that made it.</p>
      <a class="button narrow" href="#/">
        To the first screen
      </a>
    </Page>
  );
}
