import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorLine, MAIN } from '../support/run-sward.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('cli-serve');
const data = join(root, 'farm');
const sward = hostSward();

describe('sward serve', () => {
  let server: ChildProcess;
  let said = '';
  let address: string;

  beforeAll(async () => {
    server = spawn(process.execPath, [MAIN, 'serve', '--data', data, '--port', '0', '--workers', '1']);
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    while (!said.includes('alone.')) {
      if (server.exitCode !== null) throw new Error('it ended');
      await new Promise((settle) => setTimeout(settle, 50));
    }
    address = /listens at (\S+),/.exec(said)?.[1] ?? '';
  });

  afterAll(() => {
    server.kill('SIGKILL');
  });

  it('says where it listens and gives an owner link that works once', async () => {
    expect(said).toMatch(/^sward listens at http:\/\/127\.0\.0\.1:\d+, and keeps the farm in/);
    const code = /#pair=(\S+)/.exec(said)?.[1];
    const pair = () =>
      fetch(`${address}/api/devices/pair`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
    const paired = await (await pair()).json();
    expect(paired.device.role).toBe('owner');
    expect((await pair()).status).toBe(403);
  });

  it('refuses what others could read, a port that is taken, and halves of a certificate', async () => {
    const open = await sward('serve', '--data', join(root, 'x'), '--host', '0.0.0.0');
    expect(open.code).toBe(2);
    expect(errorLine(open)).toMatch(
      /--host 0\.0\.0\.0 can be reached by others.*--tls-cert and --tls-key, or --behind-proxy/,
    );
    expect(existsSync(join(root, 'x'))).toBe(false);
    const port = new URL(address).port;
    const taken = await sward('serve', '--data', join(root, 'y'), '--port', port, '--workers', '1');
    expect(taken.code).toBe(2);
    expect(errorLine(taken)).toMatch(new RegExp(`port ${port} of 127\\.0\\.0\\.1 is taken`));
    const half = await sward('serve', '--data', join(root, 'z'), '--tls-cert', 'a.pem');
    expect(errorLine(half)).toMatch(/give --tls-cert and --tls-key together/);
    const second = await sward('serve', '--data', data, '--port', '0');
    expect(errorLine(second)).toMatch(/used by another server/);
  });

  it('lets nobody but its user read what it keeps', () => {
    const open = readdirSync(data, { recursive: true, encoding: 'utf8' })
      .filter((name) => (statSync(join(data, name)).mode & 0o077) !== 0)
      .map((name) => `${name} ${statSync(join(data, name)).mode.toString(8)}`);
    expect(open).toEqual([]);
    expect(existsSync(join(data, 'server.lock'))).toBe(true);
    expect(existsSync(join(data, 'sward.db'))).toBe(true);
  });

  it('says that its link is of no use to phones, and takes the address that is', async () => {
    expect(said).toMatch(/#pair=\S+\nIt works on this machine alone\. For phones .* --public-url/);
    for (const url of ['farm.example.org', 'http://farm.example.org', 'https://farm.example.org/app']) {
      const refused = await sward('serve', '--data', join(root, 'u'), '--public-url', url);
      expect(errorLine(refused)).toMatch(/--public-url .*: give what phones open, as https:/);
    }
    expect(existsSync(join(root, 'u'))).toBe(false);
  });

  it('verifies and backs up while it runs', async () => {
    const verified = await sward('serve', 'verify', '--data', data);
    expect([verified.code, verified.stdout]).toEqual([0, `${data}: 0 photos, 0 cuts, 0 estimates\n`]);
    const file = join(root, 'backup.tar');
    const backup = await sward('serve', '--data', data, 'backup', file);
    expect([backup.code, backup.stdout]).toEqual([0, `${file}: 0 photos, 0 runs\n`]);
    const restored = await sward('serve', 'restore', file, '--data', join(root, 'copy'));
    expect(restored.code).toBe(0);
    expect(errorLine(await sward('serve', 'verify', '--data', join(root, 'none')))).toMatch(/holds no farm/);
  });

  it('answers what it was asked before it ends on SIGTERM', async () => {
    const photo = join(root, 'photo.jpg');
    await writePhoto(photo, 20, 3);
    const again = await sward(
      'serve',
      '--data',
      join(root, 'w'),
      '--owner-link',
      '--host',
      'no.such.host.invalid',
    );
    expect(again.code).toBe(2);
    const code = await newOwner();
    const { token } = await (
      await fetch(`${address}/api/devices/pair`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      })
    ).json();
    const form = new FormData();
    form.append('photo', new Blob([new Uint8Array(readFileSync(photo))]), 'photo.jpg');
    const answer = fetch(`${address}/api/estimate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    await new Promise((settle) => setTimeout(settle, 150));
    const ended = new Promise<number | null>((settle) => server.once('exit', settle));
    server.kill('SIGTERM');
    expect((await answer).status).toBe(200);
    expect(await ended).toBe(0);
    expect(existsSync(join(data, 'server.lock'))).toBe(false);
  });

  /** A code that was written into the database as the server writes it. */
  async function newOwner(): Promise<string> {
    const { openDatabase } = await import('../../src/server/storage/database.ts');
    const { devicesIn } = await import('../../src/server/access/devices.ts');
    const db = await openDatabase(join(data, 'sward.db'), { asItIs: true });
    try {
      return (await devicesIn(db).offer('second', 'owner')).code;
    } finally {
      await db.destroy();
    }
  }
});
