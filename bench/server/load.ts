/**
 * Asks a fresh server for more than it can do: four clients for every photo that its pool and queue hold, for a minute,
 * half of them estimates and the other half uploads of 60 photos. Every request must be answered 200 (uploads: 201, 204)
 * or 429, none dropped; what was acknowledged is stored; memory stays flat.
 *
 *     npx tsx bench/server/load.ts [FOLDER OF PHOTOS] [SECONDS] [WORKERS]
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderSample } from '../../src/sample/index.ts';
import { pair, pause, serveCommand, startProcess } from './server-process.ts';

const [, , folder, seconds = '60', workers = '1'] = process.argv;
const PHOTOS = 60;
const QUEUE = 8 * Number(workers);
const CLIENTS = 4 * (QUEUE + Number(workers));

const root = mkdtempSync(join(tmpdir(), 'sward-load-'));
const photos = folder ?? join(root, 'sample', 'train');
if (folder === undefined) await renderSample({ out: join(root, 'sample') });
const files = readdirSync(photos)
  .filter((name) => /\.jpe?g$/i.test(name))
  .slice(0, PHOTOS)
  .map((name) => readFileSync(join(photos, name)));
const data = join(root, 'farm');
const server = await startProcess(data, '--workers', workers, '--queue', String(QUEUE));
const token = await pair(server.address, server.link ?? '');
const authorization = { authorization: `Bearer ${token}` };

const statuses = new Map<string, number>();
const latencies: number[] = [];
const acknowledged = new Set<string>();
const dropped: string[] = [];
const count = (kind: string, status: number): void => {
  const key = `${kind} ${status}`;
  statuses.set(key, (statuses.get(key) ?? 0) + 1);
};

async function estimate(file: Buffer): Promise<number> {
  const form = new FormData();
  form.append('photo', new Blob([new Uint8Array(file)]), 'photo.jpg');
  const begun = performance.now();
  const answer = await fetch(`${server.address}/api/estimate`, {
    method: 'POST',
    headers: authorization,
    body: form,
  });
  await answer.arrayBuffer();
  if (answer.status === 200) latencies.push(performance.now() - begun);
  count('estimate', answer.status);
  return answer.status;
}

async function upload(file: Buffer): Promise<number> {
  const id = randomUUID();
  const record = {
    id,
    visitId: null,
    sha256: createHash('sha256').update(file).digest('hex'),
    capturedAt: new Date().toISOString(),
    position: null,
    frameAreaSquareMetres: 0.21,
    height: null,
  };
  const tus = { ...authorization, 'tus-resumable': '1.0.0' };
  const begun = await fetch(`${server.address}/api/uploads`, {
    method: 'POST',
    headers: {
      ...tus,
      'upload-length': String(file.length),
      'upload-metadata': `record ${Buffer.from(JSON.stringify(record)).toString('base64')}`,
    },
  });
  await begun.arrayBuffer();
  count('upload begun', begun.status);
  if (begun.status !== 201) return begun.status;
  const sent = await fetch(`${server.address}/api/uploads/${id}`, {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: new Uint8Array(file),
  });
  await sent.arrayBuffer();
  count('upload sent', sent.status);
  if (sent.status === 204) acknowledged.add(id);
  return sent.status;
}

/** Resident memory of the server's own process, MiB. */
function resident(): number {
  const pages = Number(readFileSync(`/proc/${server.process.pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * 4096) / 2 ** 20;
}

const end = performance.now() + Number(seconds) * 1000;
async function client(number: number): Promise<void> {
  for (let turn = number; performance.now() < end; turn++) {
    const file = files[turn % files.length] as Buffer;
    try {
      const status = number % 2 === 0 ? await estimate(file) : await upload(file);
      // Who is told to come later comes a little later: a client that waits a whole second would be no load.
      if (status === 429) await pause(200);
    } catch (error) {
      dropped.push(String((error as Error).cause ?? error));
    }
  }
}

const memory: number[] = [];
const watch = setInterval(() => memory.push(resident()), 1000);
await estimate(files[0] as Buffer);
await fetch(`${server.address}/metrics`, { headers: authorization });
await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
clearInterval(watch);
const metrics = await (await fetch(`${server.address}/metrics`, { headers: authorization })).text();
const heldUp = Number(/^sward_held_up_seconds (\S+)/m.exec(metrics)?.[1]);

const stored = new Set<string>();
for (let after = ''; ; ) {
  const part = (await (
    await fetch(`${server.address}/api/photos?limit=500${after && `&after=${after}`}`, {
      headers: authorization,
    })
  ).json()) as { items: { id: string }[]; next: string | null };
  for (const { id } of part.items) stored.add(id);
  if (part.next === null) break;
  after = part.next;
}
const ended = new Promise((settle) => server.process.once('exit', settle));
const signalled = performance.now();
server.process.kill('SIGTERM');
await ended;
const endSeconds = (performance.now() - signalled) / 1000;
const verified = await serveCommand('verify', '--data', data);

latencies.sort((a, b) => a - b);
const at = (share: number): number =>
  Math.round(latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN);
const half = Math.floor(memory.length / 2);
const middle = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const lost = [...acknowledged].filter((id) => !stored.has(id));
const odd = [...statuses].filter(([key]) => !/ (200|201|204|429)$/.test(key));
process.stdout.write(
  `${[
    `${CLIENTS} clients, ${workers} workers, queue ${QUEUE}, ${seconds} s, ${files.length} photos`,
    ...[...statuses].sort().map(([key, value]) => `${key}: ${value}`),
    `dropped: ${dropped.length} ${[...new Set(dropped)].slice(0, 3).join('; ')}`,
    `estimates a second: ${(latencies.length / Number(seconds)).toFixed(1)}; latency ms: median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`,
    `memory MiB: median of the first half ${middle(memory.slice(0, half)).toFixed(0)}, of the second ${middle(memory.slice(half)).toFixed(0)}, most ${Math.max(...memory).toFixed(0)}`,
    `longest time that the thread was held up: ${(heldUp * 1000).toFixed(0)} ms`,
    `acknowledged ${acknowledged.size}, stored ${stored.size}, lost ${lost.length}`,
    `ended on SIGTERM after ${endSeconds.toFixed(1)} s; verify: ${verified.code} ${verified.said.trim()}`,
  ].join('\n')}\n`,
);
rmSync(root, { recursive: true, force: true });
process.exitCode = dropped.length + lost.length + odd.length > 0 || verified.code !== 0 ? 1 : 0;
