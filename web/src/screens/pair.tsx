import { useEffect } from 'preact/hooks';
import { Page } from '../parts/page.tsx';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { goTo } from '../shell/route.ts';
import { stateWords } from './outbox.tsx';

/** Takes up a pairing link. */
export function Pair({ code }: { readonly code: string }) {
  const { sync } = useApp();
  const { problem, run } = useWork();
  const device = sync.device.value;
  useEffect(() => {
    void run(async () => {
      await sync.pair(code);
      goTo();
    });
  }, [code]);
  return (
    <Page title="Pairing">
      {problem === null ? (
        <p role="status">{device ? stateWords(sync.state.value, 0) : 'Pairing this device'}</p>
      ) : (
        <>
          <p class="warn" role="alert">
            {problem}
          </p>
          {device && <p>This device stays paired as {device.name}: it needs no other link.</p>}
          <a class="button narrow" href="#/">
            {device ? 'Go on' : 'Go on without a server'}
          </a>
        </>
      )}
    </Page>
  );
}
