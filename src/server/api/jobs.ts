import { z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { Uuid } from '../../farm/index.ts';
import { found } from '../answers/refusal.ts';
import { Job, JobRequest } from '../jobs/job.ts';
import type { Farm } from '../services/farm.ts';
import { type Api, answer, ById, body, route } from './route.ts';

/** A connection that nothing goes over is taken for broken by what lies between. */
const BEAT_MS = 15_000;

/** `/api/jobs`. */
export function addJobs(api: Api, { jobs, devices }: Farm): void {
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/jobs',
      summary: 'Lists the last 200 jobs, the newest first',
      responses: { 200: answer(z.strictObject({ items: z.array(Job) }), 'the jobs') },
    }),
    async (context) => context.json({ items: await jobs.list() }, 200),
  );
  api.openapi(
    route('owner', {
      method: 'post',
      path: '/api/jobs',
      summary: 'Asks for a job: training on the farm’s own cuts, or estimating all photos by another run',
      description: 'The id is made by the device, so that asking again makes no second job.',
      request: { body: body(z.strictObject({ id: Uuid, request: JobRequest })) },
      responses: { 200: answer(Job, 'the job, queued or already running') },
    }),
    async (context) => {
      const { id, request } = context.req.valid('json');
      return context.json(await jobs.ask(id, request), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/jobs/{id}',
      summary: 'Says how a job goes',
      request: { params: ById },
      responses: { 200: answer(Job, 'the job') },
    }),
    async (context) => {
      const job = await jobs.find(context.req.valid('param').id);
      return context.json(found(job, 'job'), 200);
    },
  );
  api.openapi(
    route('viewer', {
      method: 'get',
      path: '/api/jobs/{id}/events',
      summary: 'Tells how a job goes as it goes (server-sent events)',
      description: 'Each event is the job as JSON; the last is that of a job that is over.',
      request: { params: ById },
      responses: { 200: { description: 'events', content: { 'text/event-stream': { schema: z.string() } } } },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      found(await jobs.find(id), 'job');
      return streamSSE(context, async (stream) => {
        const gone = new AbortController();
        stream.onAbort(() => gone.abort());
        const beat = setInterval(() => void stream.write(': \n\n'), BEAT_MS);
        try {
          for await (const job of jobs.watch(id, AbortSignal.any([context.req.raw.signal, gone.signal]))) {
            // Access may have ended since; nobody is told more then.
            const device = context.get('device');
            if (!device || !(await devices.isActive(device.id))) return;
            await stream.writeSSE({ event: 'job', data: JSON.stringify(job) });
          }
        } finally {
          clearInterval(beat);
        }
      });
    },
  );
  api.openapi(
    route('owner', {
      method: 'delete',
      path: '/api/jobs/{id}',
      summary: 'Ends a job that is not over',
      request: { params: ById },
      responses: { 200: answer(Job, 'the job, which is over') },
    }),
    async (context) => {
      const job = await jobs.cancel(context.req.valid('param').id);
      return context.json(found(job, 'job'), 200);
    },
  );
}
