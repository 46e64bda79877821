import { useEffect, useState } from 'preact/hooks';
import { FileButton, TextField } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { day, dayAndTime, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { requestJob } from '../sync/farm-jobs.ts';
import { Job, Jobs, type Run, Runs } from '../sync/farm-runs.ts';
import { ask, askFor } from '../sync/farm-server.ts';
import { offFromCuts, offWords, photosOfRun, scoreWords } from '../visits/run-figures.ts';
import { UseRun } from './use-run.tsx';

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
  const [wanted, setWanted] = useState<Run | null>(null);
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
      await requestJob(asked);
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
              const { photos, mean } = photosOfRun(store, run.hash);
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
                        <button type="button" onClick={() => setWanted(run)}>
                          Use
                        </button>
                      )}
                      {isOwner && (
                        <button
                          type="button"
                          aria-label={`Ask about all photos: ${run.name}`}
                          onClick={() => request({ kind: 're-estimate', runId: run.id })}
                        >
                          Ask about all photos
                        </button>
                      )}
                    </div>
                  </td>
                  <td class="number">{photos}</td>
                  <td class="number">{mean === null ? '–' : number(mean)}</td>
                  <td class="number">{offWords(offFromCuts(store, run, jobs))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {wanted && (
        <UseRun
          key={wanted.id}
          run={wanted}
          now={runs.find(({ chosen }) => chosen)}
          jobs={jobs}
          onDone={() => {
            setWanted(null);
            void work(look);
          }}
        />
      )}
      <p class="quiet narrow">
        A run is a trained model: what turns a photo into masses. “Off from own cuts” is how far its answers
        usually lie from frames that were photographed, cut and dried. Of a run that was trained on them it is
        what was found when they were left out in turn.
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
                      : `Ask ${runs.find(({ id }) => id === job.request.runId)?.name ?? 'a run'} about all photos`}
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
    <span class="row">
      <a
        class="button"
        href={`/api/runs/${id}/report.html?open=tab`}
        target="_blank"
        rel="noopener"
        aria-label={`Report of ${name}`}
      >
        Report
      </a>
      <a href={`/api/runs/${id}/report.html`} download aria-label={`Download the report of ${name}`}>
        Download
      </a>
    </span>
  );
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
