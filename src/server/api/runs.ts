import { z } from '@hono/zod-openapi';
import { Refusal } from '../answers/refusal.ts';
import { withBodyFile } from '../photos/incoming-form.ts';
import { ListedRun } from '../runs/library.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, answer, body, route } from './route.ts';

const RunId = z.string().min(1).max(64);
const Items = z.strictObject({ items: z.array(ListedRun) });

/** `/api/runs`, and which of them answers at `/api/farm`. */
export function addRuns(api: Api, { runs, db, folder, settings, pool, estimator, log }: Farm): void {
  const listed = async (id: string): Promise<ListedRun> => {
    const run = (await runs.list()).find((run) => run.id === id);
    if (!run) throw new Error(`run ${id} was kept and is not listed`);
    return run;
  };
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/runs',
      summary: 'Lists the runs that the farm may choose from',
      responses: { 200: answer(Items, 'the runs') },
    }),
    async (context) => context.json({ items: await runs.list() }, 200),
  );
  api.openapi(
    route('owner', {
      method: 'post',
      path: '/api/runs',
      summary: 'Adds a run: the zip of a run folder',
      description:
        'The body is the zip (Content-Type application/zip). Its names and sizes are checked, and the hashes of its files; it is asked about a picture before it is kept.',
      request: {
        query: z.object({ name: z.string().trim().min(1).max(100).describe('what the farm calls it') }),
      },
      responses: { 200: answer(ListedRun, 'the run, which may have been there before') },
    }),
    async (context) => {
      const { name } = context.req.valid('query');
      const large = new Refusal(
        413,
        'too-large',
        `runs may have ${Math.round(settings.runBytes / 2 ** 20)} MiB`,
      );
      const run = await withBodyFile(context.req.raw, folder.scratch, settings.runBytes, large, (path) =>
        runs.addArchive(path, name),
      );
      return context.json(await listed(run.id), 200);
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: '/api/runs/{id}',
      summary: 'Removes a run; what it estimated stays',
      request: { params: z.object({ id: RunId }) },
      responses: { 204: { description: 'it is gone' } },
    }),
    async (context) => {
      await runs.remove(context.req.valid('param').id);
      return context.body(null, 204);
    },
  );
  const FarmBody = z.strictObject({
    name: z.string().max(200),
    runId: RunId.describe('the run that answers'),
  });
  const farmNow = async (): Promise<z.output<typeof FarmBody>> => {
    const { name, run_id } = await db.selectFrom('farm').selectAll().executeTakeFirstOrThrow();
    return { name, runId: run_id };
  };
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/farm',
      summary: 'Says what the farm is called and which run answers',
      responses: { 200: answer(FarmBody, 'the farm') },
    }),
    async (context) => context.json(await farmNow(), 200),
  );
  api.openapi(
    route('owner', {
      method: 'put',
      path: '/api/farm',
      summary: 'Names the farm and chooses its run',
      description: 'New photos are estimated by that run from now on; old estimates stay and name theirs.',
      request: { body: body(FarmBody) },
      responses: { 200: answer(FarmBody, 'the farm') },
    }),
    async (context) => {
      const { name, runId } = context.req.valid('json');
      const run = await runs.choose(runId);
      await db.updateTable('farm').set({ name }).execute();
      pool
        .open({ kind: 'open', run: run.folder, cache: folder.cache })
        .catch((error: unknown) => log.error({ error: String(error) }, 'run'));
      // Photos that the run before could not answer, or not be asked about, wait for this one.
      estimator.wake();
      return context.json(await farmNow(), 200);
    },
  );
}
