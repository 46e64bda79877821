import { bodyLimit } from 'hono/body-limit';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { sql } from 'kysely';
import { freeBytes } from '../ground/free-bytes.ts';
import { packageFile } from '../ground/package-file.ts';
import { packageVersion } from '../ground/version.ts';
import { authenticate } from './access/authenticate.ts';
import { TOKEN_COOKIE } from './access/token-cookie.ts';
import { answerTo, BROKEN_OFF } from './answers/error-answer.ts';
import { Refusal } from './answers/refusal.ts';
import { addCuts } from './api/cuts.ts';
import { addDevices } from './api/devices.ts';
import { addEstimates } from './api/estimates.ts';
import { addExports } from './api/exports.ts';
import { addJobs } from './api/jobs.ts';
import { addModels } from './api/models.ts';
import { addPhotos } from './api/photos.ts';
import { addPaddocks, addVisits } from './api/records.ts';
import { addRemovals } from './api/removals.ts';
import { type Api, emptyApi, needs } from './api/route.ts';
import { addRuns, REPORT_POLICY } from './api/runs.ts';
import { addSummaries } from './api/summaries.ts';
import { fairTurns } from './fair-turns.ts';
import { apiDocs } from './page/api-docs.ts';
import { addWebApp, WORKER_POLICY } from './page/web-app.ts';
import type { Farm } from './services/farm.ts';
import { requireRoom } from './storage/disk.ts';

/** Largest request of JSON, bytes. */
const JSON_BYTES = 2 ** 20;

/** Requests whose bodies are files, which have bounds of their own. */
const FILES = /^\/api\/(uploads(\/|$)|estimate$|runs$)/;

/**
 * Reads what a refused request still sends, and forgets it: were its connection cut, a device that is sending would never
 * see the answer.
 */
function readOn({ body, bodyUsed }: Request): void {
  if (body && !bodyUsed && !body.locked) void body.pipeTo(new WritableStream()).catch(() => {});
}

/** Ends what an answer would have been read from: HEAD is answered as GET is, and nobody reads it. */
async function dropBody({ body }: Response): Promise<void> {
  if (body && !body.locked) await body.cancel();
}

/** Everything that the server answers. */
export function farmApp(farm: Farm): Api {
  const { settings, log, metrics, db, pool, folder, devices } = farm;
  const app = emptyApi();
  const ownTurn = fairTurns();
  app.use(async (context, next) => {
    const begun = performance.now();
    await ownTurn();
    await next();
    readOn(context.req.raw);
    if (context.req.raw.method === 'HEAD') await dropBody(context.res);
    const seconds = (performance.now() - begun) / 1000;
    const { method } = context.req;
    const { status } = context.res;
    // The pattern and never the address: what stands in an address may be a position or a name.
    const route = routePath(context, -1);
    metrics.answered(method, route, status, seconds);
    log.info(
      { method, route, status, ms: Math.round(seconds * 1000), by: context.get('device')?.id ?? 'stranger' },
      'request',
    );
  });
  for (const [path, policy] of [
    ['/assets/*', WORKER_POLICY],
    ['/api/runs/:id/report.html', REPORT_POLICY],
  ] as const) {
    app.use(path, async (context, next) => {
      await next();
      context.header('Content-Security-Policy', policy);
    });
  }
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // Maps have tiles of wherever a device gets them from, by an address that its people give it and the server does not
        // know: the app narrows this to that one (web/src/shell/picture-policy.ts), by default to none.
        imgSrc: ["'self'", 'blob:', 'data:', 'https:'],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        workerSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      crossOriginEmbedderPolicy: 'require-corp',
      crossOriginOpenerPolicy: 'same-origin',
      crossOriginResourcePolicy: 'same-origin',
      referrerPolicy: 'no-referrer',
      xFrameOptions: 'DENY',
      strictTransportSecurity: settings.tls || settings.behindProxy ? 'max-age=31536000' : false,
    }),
  );
  app.onError((error, context) => {
    const { status, body, retryAfterSeconds, isOurs } = answerTo(error);
    if (isOurs) log.error({ error: error.stack }, 'failure');
    else if (status === BROKEN_OFF) log.info({ path: context.req.path }, 'request broken off');
    const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
    return context.json(body, status as 500, headers);
  });
  app.notFound((context) =>
    context.json(answerTo(new Refusal(404, 'not-found', 'there is nothing here')).body, 404),
  );
  app.get('/healthz', (context) => context.text('ok'));
  app.get('/readyz', async (context) => {
    await sql`select 1`.execute(db);
    if ((await freeBytes(folder.root)) < settings.reserveBytes) return context.text('the disk is full', 503);
    return pool.isReady ? context.text('ok') : context.text('the run is being opened, or cannot be', 503);
  });
  addWebApp(app, packageFile('dist/web'));
  const known = authenticate({ devices, behindProxy: settings.behindProxy });
  addModels(app, farm, known);
  app.use('/api/*', known);
  app.use('/metrics', known);
  app.use('/api/*', ({ req }, next) => {
    // Read as a number, nothing at all would be 0.
    const empty = Object.entries(req.query()).find(([, value]) => value.trim() === '');
    if (!empty) return next();
    throw new Refusal(400, 'bad-request', `query.${empty[0]}: is empty; give a value or leave it out`);
  });
  app.get('/metrics', needs('viewer'), async (context) => {
    const { body, contentType } = await metrics.text();
    return context.body(body, 200, { 'Content-Type': contentType });
  });
  app.use('/api/*', async ({ req }, next) => {
    // Removing makes room.
    const isWrite = !['GET', 'HEAD', 'DELETE'].includes(req.raw.method);
    const bytes = Number(req.header('content-length') ?? 0);
    if (isWrite) await requireRoom(folder.root, bytes, settings.reserveBytes);
    await next();
  });
  const limited = bodyLimit({
    maxSize: JSON_BYTES,
    onError: () => {
      throw new Refusal(413, 'too-large', 'JSON may have 1 MiB');
    },
  });
  app.use('/api/*', (context, next) => (FILES.test(context.req.path) ? next() : limited(context, next)));
  for (const add of [
    addPaddocks,
    addVisits,
    addRemovals,
    addPhotos,
    addEstimates,
    addCuts,
    addSummaries,
    addExports,
    addRuns,
    addJobs,
    addDevices,
  ]) {
    add(app, farm);
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: TOKEN_COOKIE,
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'sward',
      version: packageVersion(),
      description:
        'Paddocks, visits, photos, cuts and estimates of a farm. Masses are dry, in grams on the frame or kg DM/ha.',
    },
  });
  app.get('/api/openapi.json', (context) => context.json(document));
  app.get('/api/docs', (context) => context.html(apiDocs(document)));
  return app;
}
