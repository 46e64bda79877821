import { readFile, rm } from 'node:fs/promises';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { InputError, messageOf, UsageError } from '../ground/errors.ts';
import { writeFailure } from '../ground/files.ts';
import { isLoopback } from '../ground/own-machine.ts';
import { devicesIn } from './access/devices.ts';
import { pairingLink } from './api/devices.ts';
import { farmApp } from './app.ts';
import { InferencePool } from './inference/pool.ts';
import { Jobs } from './jobs/jobs.ts';
import { type Log, openLog } from './observing/log.ts';
import { openMetrics } from './observing/metrics.ts';
import { Estimator } from './photos/estimator.ts';
import { PhotoMaps } from './photos/maps.ts';
import { Uploads } from './photos/uploads.ts';
import { joinVisits } from './records/joined-visits.ts';
import { RunLibrary } from './runs/library.ts';
import { PhoneModels } from './runs/phone-models.ts';
import type { Farm } from './services/farm.ts';
import type { ServerSettings } from './services/settings.ts';
import { openDatabase } from './storage/database.ts';
import { farmFolder, makeFarmFolder, requireOwnFolder } from './storage/farm-folder.ts';
import { lockFarm } from './storage/farm-lock.ts';
import { photoStore } from './storage/photo-store.ts';

/** A server that answers. */
export interface RunningServer {
  /** Where it is reached, `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Pairs an owner's device, once; null where there is an owner and none was asked for. */
  readonly ownerLink: string | null;
  /** Everything it answers with. */
  readonly farm: Farm;
  /** Finishes what runs, within 20 s, and ends. */
  close(): Promise<void>;
}

/** Time for requests under way, and then for photos that are being estimated, when the server ends. */
const REQUESTS_MS = 10_000;
const POOL_MS = 5_000;

/** A request must be there within so long: a photo over a slow link, yet not for ever. */
const REQUEST_MS = 10 * 60_000;

/** Connections at once; what comes beyond is cut, and tries again. */
const MOST_CONNECTIONS = 1000;

/**
 * Starts the farm's server on a folder, which is made where it is not there.
 *
 * @param log where it says what it does; default standard error
 * @throws UsageError for an address that others reach without encryption, or a folder that another server has
 * @throws InputError for a certificate, run or database that cannot be used
 */
export async function startServer(settings: ServerSettings, log: Log = openLog(2)): Promise<RunningServer> {
  requireSafeAddress(settings);
  requirePort(settings.port);
  const tls = settings.tls && (await readTls(settings.tls));
  const folder = farmFolder(resolve(settings.data));
  await requireOwnFolder(folder, settings.data);
  const made = await makeFarmFolder(folder).catch((error: unknown) => {
    throw writeFailure(settings.data, error);
  });
  const lock = await lockFarm(folder.lock, settings.data).catch((error: unknown) => {
    throw writeFailure(settings.data, error);
  });
  const ends: (() => Promise<unknown>)[] = [() => lock.release()];
  const endAll = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  try {
    await rm(folder.scratch, { recursive: true, force: true });
    await makeFarmFolder(folder);
    const db = await openDatabase(folder.database);
    ends.push(() => db.destroy());
    await db.transaction().execute((tx) => joinVisits(tx));
    const runs = new RunLibrary(db, folder, settings.runBytes);
    await runs.begin();
    const { run: given } = settings;
    if (given !== undefined) {
      const added = await runs.addGiven(given).catch((error: unknown) => {
        throw new InputError(given, messageOf(error), 'give another run, or none');
      });
      await runs.choose(added.id);
    }
    const phoneModels = new PhoneModels(folder, log);
    ends.push(() => phoneModels.close());
    const pool = new InferencePool(settings.pool);
    ends.push(() => pool.close(POOL_MS));
    const store = photoStore(folder.photos);
    const estimator = new Estimator({
      db,
      store,
      pool,
      runs,
      workers: settings.pool.workers,
      cache: folder.cache,
      onError: (error) => log.error({ error: String(error) }, 'estimating'),
    });
    const maps = new PhotoMaps(folder.cache, store, pool);
    const uploads = new Uploads({
      folder: folder.uploads,
      scratch: folder.scratch,
      db,
      store,
      pool,
      photoBytes: settings.photoBytes,
      reserveBytes: settings.reserveBytes,
      onStored: () => estimator.wake(),
    });
    const jobs = new Jobs({ db, folder, store, runs, estimator, log });
    const metrics = openMetrics(pool, db);
    ends.push(async () => metrics.close());
    const devices = devicesIn(db);
    const farm: Farm = {
      settings,
      folder,
      db,
      photos: store,
      pool,
      runs,
      phoneModels,
      estimator,
      maps,
      uploads,
      jobs,
      devices,
      metrics,
      log,
    };
    const app = farmApp(farm);
    // What is left of a body is read by the app, for as long as it takes.
    const listener = getRequestListener(app.fetch, { autoCleanupIncoming: false });
    const options = { requestTimeout: REQUEST_MS, headersTimeout: 30_000 };
    const server = tls ? createHttps({ ...tls, ...options }, listener) : createHttp(options, listener);
    server.maxConnections = MOST_CONNECTIONS;
    const chosen = await runs.chosen();
    await pool.open({ kind: 'open', run: chosen.folder, cache: folder.cache }).catch((error: unknown) => {
      throw new InputError(chosen.folder, messageOf(error), 'let another run answer, with --run starter');
    });
    await listening(server, settings);
    ends.push(async () => {
      // Told first, so that those who watch a job are through; they have ended when the pool has.
      const stopped = [jobs.close(), estimator.close()];
      await closed(server);
      await pool.close(POOL_MS);
      await Promise.all(stopped);
    });
    const address = addressOf(server, settings);
    await uploads.recover();
    await jobs.begin();
    estimator.wake();
    phoneModels.of(chosen);
    const isOwnerWanted = settings.ownerLink || !(await devices.hasOwner());
    const ownerLink = isOwnerWanted
      ? pairingLink(settings.publicUrl ?? address, (await devices.offer('owner', 'owner')).code)
      : null;
    log.info({ address: settings.host, workers: settings.pool.workers }, 'started');
    return {
      address,
      ownerLink,
      farm,
      async close() {
        log.info('ending');
        await endAll();
      },
    };
  } catch (error) {
    // Last of all, and before the lock is given up, so that no other server takes what is being removed.
    if (made !== undefined) ends.splice(1, 0, () => rm(made, { recursive: true, force: true }));
    await endAll();
    throw error;
  }
}

/** @throws UsageError for an address that others reach, where what they send could be read on the way */
function requireSafeAddress({ host, tls, behindProxy }: ServerSettings): void {
  if (isLoopback(host) || tls || behindProxy) return;
  throw new UsageError(
    `--host ${host} can be reached by others, who would send their tokens in the open; give --tls-cert and --tls-key, or ` +
      '--behind-proxy where a reverse proxy encrypts (docs/server.md shows both)',
  );
}

/** @throws UsageError for what is no port */
function requirePort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port < 2 ** 16) return;
  throw new UsageError(`--port ${port} is none; give one from 1 to 65535, or 0 for any that is free`);
}

async function readTls({
  certificate,
  key,
}: NonNullable<ServerSettings['tls']>): Promise<{ cert: Buffer; key: Buffer }> {
  const [cert, privateKey] = [await readPem(certificate), await readPem(key)];
  try {
    createSecureContext({ cert, key: privateKey });
  } catch (error) {
    throw new InputError(
      `${certificate}, ${key}`,
      `cannot be used together (${messageOf(error)})`,
      'give files in PEM: a certificate and its own key, without a password',
    );
  }
  return { cert, key: privateKey };
}

const readPem = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: Error) => {
    throw new InputError(
      path,
      `cannot be read (${error.message})`,
      'give files in PEM, a certificate and its key',
    );
  });

/** What keeps a server from listening, and what helps. */
const LISTEN_FAULTS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `port ${port} of ${host} is taken; choose another with --port`,
  EACCES: (_, port) => `port ${port} may not be listened at by this user; choose another with --port`,
  EADDRNOTAVAIL: (host) => `${host} is no address of this machine; choose another with --host`,
  ENOTFOUND: (host) => `${host} is no address; choose another with --host`,
  EAI_AGAIN: (host) => `the address of ${host} cannot be looked up; choose another with --host`,
};

function listening(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((settle, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = LISTEN_FAULTS[error.code ?? ''];
      fail(what ? new UsageError(what(host, port)) : error);
    });
    server.listen(port, host, () => settle());
  });
}

function addressOf(server: Server, { host, tls }: ServerSettings): string {
  const { port } = server.address() as AddressInfo;
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Takes no more requests and waits for those under way; what takes too long is cut. */
async function closed(server: Server): Promise<void> {
  const ended = new Promise<void>((settle) => server.close(() => settle()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), REQUESTS_MS);
  await ended;
  clearTimeout(timer);
}
