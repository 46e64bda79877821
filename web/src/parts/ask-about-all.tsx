import { useState } from 'preact/hooks';
import { useApp } from '../shell/app-context.ts';
import { ask, sendJson } from '../sync/farm-server.ts';
import { Problem } from './problem.tsx';
import { useWork } from './work.ts';

/** Has the server ask a run about every photo that it has not answered. */
export const requestAnswersOf = (runId: string): Promise<Response> =>
  ask('/api/jobs', sendJson('POST', { id: crypto.randomUUID(), request: { kind: 're-estimate', runId } }));

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
          onClick={() => void work(() => requestAnswersOf(run.id).then(() => setAsked(true)))}
        >
          Ask {run.name} about all photos
        </button>
      )}
      <Problem of={problem} />
    </>
  );
}
