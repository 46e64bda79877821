import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from '@hono/zod-openapi';
import { Answering, type AnsweringRun, PhoneModel } from '../../farm/index.ts';
import { REPORT } from '../../runs/run-files.ts';
import { notFound, Refusal } from '../answers/refusal.ts';
import { withBodyFile } from '../photos/incoming-form.ts';
import { type FarmRun, ListedRun } from '../runs/library.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, answer, body, route } from './route.ts';

const RunId = z.string().min(1).max(64);
const Items = z.strictObject({ items: z.array(ListedRun) });

/** Runs may come from elsewhere: what they call a report is saved, and could do nothing if it were opened here. */
export const REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A name as headers have it (RFC 8187). */
const inHeader = (name: string): string => encodeURIComponent(name).replaceAll(/['()*]/g, '_');

/** `/api/runs`, and which of them answers at `/api/farm`. */
export function addRuns(
  api: Api,
  { runs, phoneModels, maps, db, folder, settings, pool, estimator, log }: Farm,
): void {
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
      const { id } = context.req.valid('param');
      const run = await runs.find(id);
      await runs.remove(id);
      await phoneModels.forget(run);
      return context.body(null, 204);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/runs/{id}/report.html',
      summary: 'Gives the report of a run: scores, pictures and settings, one file that needs nothing else',
      request: {
        params: z.object({ id: RunId }),
        query: z.object({ open: z.enum(['tab']).optional().describe('shown in a tab; absent: taken away') }),
      },
      responses: { 200: { description: 'the report', content: { 'text/html': { schema: z.string() } } } },
    }),
    async (context) => {
      const { open } = context.req.valid('query');
      const { folder, name } = await runs.find(context.req.valid('param').id);
      const report = createReadStream(join(folder, REPORT));
      await once(report, 'open').catch(() => {
        throw notFound('report');
      });
      return context.body(Readable.toWeb(report) as ReadableStream, 200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Disposition': `${open === undefined ? 'attachment' : 'inline'}; filename="report.html"; filename*=UTF-8''${inHeader(name)}-report.html`,
      });
    },
  );
  api.openapi(
    route('owner', {
      method: 'get',
      path: '/api/runs/{id}/phone',
      summary: 'Says whether phones can answer by a run, before it is chosen; it is made ready for them',
      request: { params: z.object({ id: RunId }) },
      responses: { 200: answer(PhoneModel, 'how phones come by it, or why they cannot') },
    }),
    async (context) => context.json(phoneModels.of(await runs.find(context.req.valid('param').id)), 200),
  );
  const answering = ({ folder: _, ...run }: FarmRun): AnsweringRun => run;
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/answering',
      summary:
        'Says which run answers, how the runs of the farm err, and how phones come by the one that answers',
      description:
        'Its files lie at the address that is given: `model.json` and the pieces it names, each with its SHA-256.',
      responses: { 200: answer(Answering, 'what answers') },
    }),
    async (context) => {
      const [chosen, all] = [await runs.chosen(), await runs.all()];
      const others = all.filter(({ id }) => id !== chosen.id).map(answering);
      return context.json(
        { run: answering(chosen), others, phone: phoneModels.of(chosen), maps: maps.areOf(chosen) },
        200,
      );
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
      phoneModels.of(run);
      pool
        .open({ kind: 'open', run: run.folder, cache: folder.cache })
        .catch((error: unknown) => log.error({ error: String(error) }, 'run'));
      // Photos that the run before could not answer, or not be asked about, wait for this one.
      estimator.wake();
      return context.json(await farmNow(), 200);
    },
  );
}
