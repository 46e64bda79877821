import { useEffect, useState } from 'preact/hooks';
import { z } from 'zod';
import { PhoneModel } from '../../../src/farm/answering.ts';
import { massWords } from '../../../src/pasture/partial.ts';
import { MASS_NAMES, type MassName } from '../../../src/pasture/targets.ts';
import { Problem } from '../parts/problem.tsx';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { Job, Run } from '../sync/farm-runs.ts';
import { ask, askFor, sendJson } from '../sync/farm-server.ts';
import { offFromCuts, offSentence } from '../visits/run-figures.ts';

const Farm = z.object({ name: z.string(), runId: z.string() });

/** Phones' model is asked for so often while it is made. */
const LOOK_AGAIN_MS = 1_000;

interface UseRunProps {
  readonly run: Run;
  /** The run that answers. */
  readonly now: Run | undefined;
  readonly jobs: readonly Job[];
  readonly onDone: () => void;
}

/** The masses that a run says nothing of; none where that is not known. */
function massesUnsaid({ answering }: FarmStore, hash: string): MassName[] {
  const said = answering.value;
  const run = said && [said.run, ...said.others].find((known) => known.hash === hash);
  const photo = run?.errors.photo;
  // A run of which nothing is known has no record of the total either.
  return photo?.total ? MASS_NAMES.filter((mass) => photo[mass] === null) : [];
}

/** Asks before another run answers: how it does beside the one in use, and what is lost with that. */
export function UseRun({ run, now, jobs, onDone }: UseRunProps) {
  const { store, sync } = useApp();
  const { isRunning, problem, run: work } = useWork();
  const [phone, setPhone] = useState<PhoneModel | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    const look = (): void =>
      void work(async () => {
        const said = await askFor(PhoneModel, `/api/runs/${run.id}/phone`);
        if (isGone) return;
        setPhone(said);
        if (said.kind === 'making') timer = setTimeout(look, LOOK_AGAIN_MS);
      });
    // Those of a run that was added just now are not known here yet.
    void sync.now();
    look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  const choose = (): void =>
    void work(async () => {
      const farm = await askFor(Farm, '/api/farm');
      await ask('/api/farm', sendJson('PUT', { ...farm, runId: run.id }));
      await sync.now();
      onDone();
    });
  const unsaid = massesUnsaid(store, run.hash);
  const figures = [run, now].flatMap((one) =>
    one
      ? (offSentence(one === now ? `${one.name}, in use now,` : one.name, offFromCuts(store, one, jobs)) ??
        [])
      : [],
  );
  return (
    <section class="card narrow" aria-label={`Use ${run.name}`}>
      <h2>Use {run.name} from now on?</h2>
      {figures.map((words) => (
        <p key={words}>{words}</p>
      ))}
      {unsaid.length > 0 && (
        <p class="warn">
          It says nothing of {massWords(unsaid)}: photos will have no {massWords(unsaid)} any more.
        </p>
      )}
      {phone?.kind === 'none' && (
        <p class="warn">
          Phones cannot evaluate it: {phone.why}. They will no longer estimate by themselves; photos wait for
          the server.
        </p>
      )}
      {phone?.kind === 'making' && <p role="status">Making it ready for phones</p>}
      {phone?.kind === 'ready' && <p class="quiet">Phones can answer by it, with and without a network.</p>}
      <div class="two">
        <button type="button" onClick={onDone}>
          Leave it
        </button>
        <button type="button" class="main" disabled={isRunning && phone?.kind !== 'making'} onClick={choose}>
          Use it
        </button>
      </div>
      <Problem of={problem} />
    </section>
  );
}
