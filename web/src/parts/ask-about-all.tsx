import { useState } from 'preact/hooks';
import { useApp } from '../shell/app-context.ts';
import { requestJob } from '../sync/farm-jobs.ts';
import { Problem } from './problem.tsx';
import { useWork } from './work.ts';

/** A button of owners that has a run asked about all photos; nothing to others. */
export function AskAboutAll({ run }: { readonly run: { readonly id: string; readonly name: string } }) {
  const { sync } = useApp();
  const [isAsked, setAsked] = useState(false);
  const { isRunning, problem, run: work } = useWork();
  if (sync.device.value?.role !== 'owner') return null;
  return (
    <>
      {isAsked ? (
        <p role="status">
          The server asks {run.name} about all photos. <a href="#/runs">Runs</a> says how far it is.
        </p>
      ) : (
        <button
          type="button"
          disabled={isRunning}
          onClick={() =>
            void work(async () => {
              await requestJob({ kind: 're-estimate', runId: run.id });
              setAsked(true);
            })
          }
        >
          Ask {run.name} about all photos
        </button>
      )}
      <Problem of={problem} />
    </>
  );
}
