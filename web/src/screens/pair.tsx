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
  useEffect(() => {
    void run(async () => {
      await sync.pair(code);
      goTo();
    });
  }, [code]);
  return (
    <Page title="Pairing">
      {problem === null ? (
        <p role="status">{sync.device.value ? stateWords(sync.state.value, 0) : 'Pairing this device'}</p>
      ) : (
        <>
          <p class="warn" role="alert">
            {problem}
          </p>
          <a class="button" href="#/">
            Go on without a server
          </a>
        </>
      )}
    </Page>
  );
}
