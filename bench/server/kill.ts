/**
 * Kills a server 50 times (SIGKILL) at random moments under uploads, cuts and jobs. After each start `verify` must be
 * clean, and every photo and cut that was acknowledged be there, once.
 *
 *     npx tsx bench/server/kill.ts [KILLS] [SEED]
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { randomStream } from '../../src/ground/random.ts';
import { pair, pause, type ServerProcess, serveCommand, startProcess } from './server-process.ts';

const [, , kills = '50', seed = '1'] = process.argv;
const random = randomStream(Number(seed));
const root = mkdtempSync(join(tmpdir(), 'sward-kill-'));
const data = join(root, 'farm');

let server: ServerProcess & { link: string | null } = await startProcess(data, '--workers', '1');
const token = await pair(server.address, server.link ?? '');
const authorization = { authorization: `Bearer ${token}` };
const tus = { ...authorization, 'tus-resumable': '1.0.0' };

interface Sent {
  readonly record: { readonly id: string; readonly sha256: string };
  readonly file: Uint8Array;
}

const acknowledgedPhotos = new Map<string, string>();
const acknowledgedEvents = new Map<string, Set<string>>();
const acknowledgedJobs = new Set<string>();
const uncertain: Sent[] = [];
let problems = 0;

function problem(what: string): void {
  problems += 1;
  process.stdout.write(`${what}\n`);
}

async function newPhoto(): Promise<Sent> {
  const pixels = Buffer.from(Array.from({ length: 160 * 120 * 3 }, () => random.integer(256)));
  const file = new Uint8Array(
    await sharp(pixels, { raw: { width: 160, height: 120, channels: 3 } })
      .jpeg()
      .toBuffer(),
  );
  const record = {
    id: randomUUID(),
    visitId,
    sha256: createHash('sha256').update(file).digest('hex'),
    capturedAt: new Date().toISOString(),
    position: null,
    frameAreaSquareMetres: 0.25,
    height: null,
  };
  return { record, file };
}

/** Sends a photo in two parts, going on where the server says; as a device does after a break too. */
async function send({ record, file }: Sent): Promise<boolean> {
  const { address } = server;
  const head = await fetch(`${address}/api/uploads/${record.id}`, { method: 'HEAD', headers: tus });
  let offset = Number(head.headers.get('upload-offset') ?? 0);
  if (head.status === 404) {
    const metadata = `record ${Buffer.from(JSON.stringify(record)).toString('base64')}`;
    const begun = await fetch(`${address}/api/uploads`, {
      method: 'POST',
      headers: { ...tus, 'upload-length': String(file.length), 'upload-metadata': metadata },
    });
    if (begun.status !== 201) return false;
    offset = Number(begun.headers.get('upload-offset') ?? 0);
  } else if (head.status !== 200) return false;
  while (offset < file.length) {
    const end = offset === 0 ? Math.ceil(file.length / 2) : file.length;
    const sent = await fetch(`${address}/api/uploads/${record.id}`, {
      method: 'PATCH',
      headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
      body: file.slice(offset, end),
    });
    if (sent.status !== 204) return false;
    offset = Number(sent.headers.get('upload-offset'));
  }
  return true;
}

async function put(path: string, body: { id: string }): Promise<boolean> {
  const answer = await fetch(`${server.address}/api/${path}/${body.id}`, {
    method: 'PUT',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status === 200;
}

const paddockId = randomUUID();
const visitId = randomUUID();
await put('paddocks', { id: paddockId, name: 'Hill', boundary: null, hectares: 4 } as never);
await put('visits', { id: visitId, paddockId, startedAt: '2026-11-03T08:00:00+11:00', note: '' } as never);

let isRunning = true;

/** One device: photos, cuts of them and now and then a job, until the server is gone. */
async function device(): Promise<void> {
  while (isRunning) {
    const sent = uncertain.pop() ?? (await newPhoto());
    try {
      if (await send(sent)) acknowledgedPhotos.set(sent.record.id, sent.record.sha256);
      else {
        uncertain.push(sent);
        await pause(20);
        continue;
      }
      const cut = { id: randomUUID(), visitId, photoId: sent.record.id, events: [] };
      if (!(await put('cuts', cut as never))) continue;
      acknowledgedEvents.set(cut.id, new Set());
      for (const change of [
        {
          kind: 'frame-placed',
          at: '2026-11-03T00:00:00Z',
          frameAreaSquareMetres: 0.25,
          cuttingHeightCentimetres: 4,
          position: null,
        },
        { kind: 'wet-weighed', at: '2026-11-03T01:00:00Z', grossGrams: 200, bagGrams: 0, tared: true },
      ]) {
        const event = { id: randomUUID(), recordedAt: change.at, change };
        const answer = await fetch(`${server.address}/api/cuts/${cut.id}/events`, {
          method: 'POST',
          headers: { ...authorization, 'content-type': 'application/json' },
          body: JSON.stringify(event),
        });
        await answer.arrayBuffer();
        if (answer.status === 200) acknowledgedEvents.get(cut.id)?.add(event.id);
      }
      if (random.integer(10) === 0) {
        const id = randomUUID();
        const answer = await fetch(`${server.address}/api/jobs`, {
          method: 'POST',
          headers: { ...authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ id, request: { kind: 're-estimate', runId: 'starter' } }),
        });
        await answer.arrayBuffer();
        if (answer.status === 200) acknowledgedJobs.add(id);
      }
    } catch {
      // The server is gone: what was sent may have arrived or not, and is sent again.
      uncertain.push(sent);
      await pause(20);
    }
  }
}

async function all<Item>(path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let after = ''; ; ) {
    const answer = await fetch(`${server.address}/api/${path}?limit=500${after && `&after=${after}`}`, {
      headers: authorization,
    });
    const part = (await answer.json()) as { items: Item[]; next: string | null };
    items.push(...part.items);
    if (part.next == null) return items;
    after = part.next;
  }
}

async function check(kill: number): Promise<void> {
  const verified = await serveCommand('verify', '--data', data);
  if (verified.code !== 0) problem(`kill ${kill}: verify ${verified.said}`);
  const photos = await all<{ id: string; sha256: string }>('photos');
  const known = new Map(photos.map(({ id, sha256 }) => [id, sha256]));
  if (known.size !== photos.length) problem(`kill ${kill}: a photo is listed twice`);
  for (const [id, sha256] of acknowledgedPhotos) {
    if (known.get(id) !== sha256) problem(`kill ${kill}: photo ${id} is lost`);
  }
  const cuts = new Map(
    (await all<{ id: string; events: { id: string }[] }>('cuts')).map((cut) => [cut.id, cut.events]),
  );
  for (const [id, events] of acknowledgedEvents) {
    const there = cuts.get(id)?.map((event) => event.id) ?? null;
    if (!there) problem(`kill ${kill}: cut ${id} is lost`);
    else if (new Set(there).size !== there.length) problem(`kill ${kill}: cut ${id} has an event twice`);
    else
      for (const event of events) if (!there.includes(event)) problem(`kill ${kill}: event ${event} is lost`);
  }
  const jobs = new Set((await all<{ id: string }>('jobs')).map(({ id }) => id));
  for (const id of acknowledgedJobs)
    if (!jobs.has(id) && jobs.size < 200) problem(`kill ${kill}: job ${id} is lost`);
}

for (let kill = 1; kill <= Number(kills); kill++) {
  isRunning = true;
  const devices = [device(), device(), device()];
  await pause(200 + random.integer(2500));
  const gone = new Promise((settle) => server.process.once('exit', settle));
  server.process.kill('SIGKILL');
  await gone;
  isRunning = false;
  await Promise.all(devices);
  server = await startProcess(data, '--workers', '1');
  await check(kill);
  process.stdout.write(
    `${kill}: ${acknowledgedPhotos.size} photos, ${acknowledgedEvents.size} cuts, ${acknowledgedJobs.size} jobs acknowledged; ${problems} problems\n`,
  );
}
for (const sent of uncertain)
  if (!(await send(sent))) problem(`photo ${sent.record.id} could not be sent in the end`);
server.process.kill('SIGTERM');
process.stdout.write(`${problems === 0 ? 'nothing lost, nothing twice' : `${problems} problems`}
`);
rmSync(root, { recursive: true, force: true });
process.exitCode = problems > 0 ? 1 : 0;
