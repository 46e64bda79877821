import { useEffect, useState } from 'preact/hooks';
import { z } from 'zod';
import { type Estimate, settledResult } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { FileButton, TextField } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { day, dayAndTime, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { ask, askFor, sendJson } from '../sync/farm-server.ts';

const Run = z.object({
  id: z.string(),
  name: z.string(),
  hash: z.string(),
  origin: z.string(),
  addedAt: z.string(),
  chosen: z.boolean(),
  report: z.boolean().default(false),
});
type Run = z.output<typeof Run>;
const Runs = z.object({ items: z.array(Run) });
const Farm = z.object({ name: z.string(), runId: z.string() });
const Job = z.object({
  id: z.string(),
  request: z.object({ kind: z.string(), name: z.string().optional(), runId: z.string().optional() }),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  progress: z.object({
    stage: z.string(),
    done: z.number(),
    of: z.number(),
    remark: z.string(),
    message: z.string().nullable(),
    runId: z.string().nullish(),
    score: z
      .object({
        r2: z.number().nullable(),
        rmse: z.number().nullable(),
        cuts: z.number(),
        visits: z.number(),
      })
      .nullish(),
  }),
  createdAt: z.string(),
});
type Job = z.output<typeof Job>;
const Jobs = z.object({ items: z.array(Job) });

/** A run may have gigabytes, and is tried before it is kept. */
const ADDING_MS = 30 * 60_000;

const STATE_WORDS: Readonly<Record<Job['state'], string>> = {
  queued: 'waits',
  running: 'at work',
  done: 'done',
  failed: 'failed',
  cancelled: 'stopped',
};

/** The runs of the farm, what each says of its photos, and training on the farm's own cuts. */
export function RunsScreen() {
  const { store, sync } = useApp();
  const [runs, setRuns] = useState<readonly Run[]>([]);
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  const [name, setName] = useState('');
  const { isRunning, problem, run: work } = useWork();
  const device = sync.device.value;
  const look = async (): Promise<void> => {
    const [listed, asked] = [await askFor(Runs, '/api/runs'), await askFor(Jobs, '/api/jobs')];
    setRuns(listed.items);
    setJobs(asked.items);
  };
  useEffect(() => {
    if (device) void work(look);
  }, [device?.id]);
  const open = jobs.filter(({ state }) => state === 'queued' || state === 'running').map(({ id }) => id);
  useEffect(
    () =>
      follow(
        open,
        (job) => setJobs((known) => known.map((one) => (one.id === job.id ? job : one))),
        () => void work(look),
      ),
    [open.join()],
  );
  if (!device) {
    return (
      <Page title="Runs" phoneBack="#/more">
        <p>
          Runs are the server's. <a href="#/more">Pair this device</a> to see and to choose them; without a
          server the starter answers.
        </p>
      </Page>
    );
  }
  const isOwner = device.role === 'owner';
  const request = (asked: object): void =>
    void work(async () => {
      await ask('/api/jobs', sendJson('POST', { id: crypto.randomUUID(), request: asked }));
      await look();
    });
  const addRun = ([file]: readonly File[]): void =>
    void work(async () => {
      if (!file) return;
      const called = new URLSearchParams({ name: file.name.replace(/\.zip$/i, '').slice(0, 100) });
      await ask(`/api/runs?${called}`, {
        method: 'POST',
        headers: { 'content-type': 'application/zip' },
        body: file,
        signal: AbortSignal.timeout(ADDING_MS),
      });
      await look();
    });
  const choose = (run: Run): void =>
    void work(async () => {
      const farm = await askFor(Farm, '/api/farm');
      await ask('/api/farm', sendJson('PUT', { ...farm, runId: run.id }));
      await look();
    });
  return (
    <Page title="Runs" phoneBack="#/more">
      <Problem of={problem} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scroll" aria-label="Runs" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Run</th>
              <th class="number">Photos answered</th>
              <th class="number">Mean kg DM/ha</th>
              <th class="number">Off from own cuts</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => {
              const { photos, mean, cuts, error } = compare(store, run.hash);
              return (
                <tr key={run.id}>
                  <td>
                    <strong>{run.name}</strong>
                    {run.chosen && ', answers now'}
                    <br />
                    <span class="quiet">
                      {run.origin}, {day(run.addedAt)}
                    </span>
                    <div class="row">
                      {run.report && <Report id={run.id} name={run.name} />}
                      {!run.chosen && isOwner && (
                        <>
                          <button type="button" onClick={() => choose(run)}>
                            Use
                          </button>
                          <button
                            type="button"
                            onClick={() => request({ kind: 're-estimate', runId: run.id })}
                          >
                            Ask about all photos
                          </button>
                        </>
                      )}
                    </div>
                  </td>
                  <td class="number">{photos}</td>
                  <td class="number">{mean === null ? '–' : number(mean)}</td>
                  <td class="number">
                    {error === null ? '–' : `${number(error)} (${countOf(cuts, 'cut')})`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      <p class="quiet narrow">
        A run is a trained model: what turns a photo into masses. “Off from own cuts” is how far its answers
        usually lie from frames that were photographed, cut and dried. A run that was trained on those cuts
        looks better here than it is.
      </p>
      {!isOwner && <p class="quiet">Owners choose the run, and train new ones, on their devices.</p>}
      {isOwner && (
        <FileButton class="narrow" accept=".zip,application/zip" onFiles={addRun}>
          Add a run from a zip
        </FileButton>
      )}
      {isOwner && (
        <form
          class="card narrow"
          onSubmit={(event) => {
            event.preventDefault();
            request({ kind: 'train', name: name.trim(), seed: 42 });
          }}
        >
          <h2>Train on own cuts</h2>
          <p class="quiet">
            On the server, with all dried cuts of photographed frames. Sorted ones teach green, dead and
            clover.
          </p>
          <TextField
            label="What the run will be called"
            value={name}
            maxLength={100}
            required
            onValue={setName}
          />
          <button type="submit" class="main" disabled={isRunning || name.trim() === ''}>
            Train
          </button>
        </form>
      )}
      <section>
        <h2>Jobs</h2>
        {jobs.length === 0 && <p class="quiet">None yet.</p>}
        <ul class="list">
          {jobs.map((job) => (
            <li key={job.id}>
              <div class="item">
                <span class="grow">
                  <strong>
                    {job.request.kind === 'train'
                      ? `Train ${job.request.name ?? ''}`
                      : 'Ask about all photos'}
                  </strong>
                  <span class="quiet">
                    {dayAndTime(job.createdAt)}, {STATE_WORDS[job.state]}
                    {job.state === 'running' &&
                      job.progress.stage &&
                      `: ${job.progress.stage} ${job.progress.remark}`}
                  </span>
                  {job.progress.score && <p>{scoreWords(job.progress.score)}</p>}
                  {job.progress.message !== null && <p class="warn">{job.progress.message}</p>}
                  {job.state === 'running' && job.progress.of > 0 && (
                    <progress
                      aria-label={job.progress.stage}
                      max={job.progress.of}
                      value={job.progress.done}
                    />
                  )}
                </span>
                {runs.some(({ id, report }) => report && id === job.progress.runId) && (
                  <Report id={job.progress.runId ?? ''} name={job.request.name ?? ''} />
                )}
                {isOwner && open.includes(job.id) && (
                  <button
                    type="button"
                    onClick={() =>
                      void work(() => ask(`/api/jobs/${job.id}`, { method: 'DELETE' }).then(look))
                    }
                  >
                    Stop
                  </button>
                )}
              </div>
            </li>
          ))}
        </ul>
      </section>
    </Page>
  );
}

/** How a run was trained and how well it does, a page to be kept. */
function Report({ id, name }: { readonly id: string; readonly name: string }) {
  return (
    <a class="button" href={`/api/runs/${id}/report.html`} download aria-label={`Report of ${name}`}>
      Report
    </a>
  );
}

/** How a run that was trained did on cuts it was not trained on, in words. */
function scoreWords({ r2, rmse, cuts, visits }: NonNullable<Job['progress']['score']>): string {
  const of = `${countOf(cuts, 'cut')} of ${countOf(visits, 'visit')}`;
  if (rmse === null || r2 === null) return `Trained on ${of}: too few to say how far it is off.`;
  const worth = r2 > 0 ? '' : ' That is no better than the mean of all cuts.';
  return `On cuts left out in turn it is off by about ${number(rmse)} kg DM/ha; ${of}.${worth}`;
}

/** Follows jobs as the server tells of them, until they are over. */
function follow(ids: readonly string[], onJob: (job: Job) => void, onOver: () => void): () => void {
  const sources = ids.map((id) => {
    const source = new EventSource(`/api/jobs/${id}/events`);
    source.addEventListener('job', ({ data }: MessageEvent<string>) => {
      const job = Job.parse(JSON.parse(data));
      onJob(job);
      if (job.state === 'queued' || job.state === 'running') return;
      source.close();
      onOver();
    });
    return source;
  });
  return () => {
    for (const source of sources) source.close();
  };
}

/** What a run says of the farm's photos, and how far from its cuts. */
function compare(store: FarmStore, hash: string) {
  const said = [...store.estimates.value.values()].flatMap((estimates): Estimate[] =>
    estimates.filter(({ run }) => run.hash === hash),
  );
  const totals = said.flatMap(({ kgDmPerHa }) => (kgDmPerHa.total === null ? [] : [kgDmPerHa.total]));
  const mean = totals.length > 0 ? totals.reduce((sum, value) => sum + value, 0) / totals.length : null;
  const byPhoto = new Map(said.map((estimate) => [estimate.photoId, estimate.kgDmPerHa.total]));
  const squares = [...store.cuts.value.values()].flatMap((cut) => {
    const result = settledResult(cut);
    const total = cut.photoId === null ? null : (byPhoto.get(cut.photoId) ?? null);
    return result && total !== null ? [(total - result.kgDmPerHa) ** 2] : [];
  });
  const error =
    squares.length > 0 ? Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length) : null;
  return { photos: said.length, mean, cuts: squares.length, error };
}
