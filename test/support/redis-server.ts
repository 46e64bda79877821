import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describeWith } from './describe-with.ts';

const isThere = (program: string): boolean => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Tests that need programs of Debian. */
export const describeWithPrograms = (
  programs: readonly string[],
  { variable, packages }: { readonly variable: string; readonly packages: string },
  name: string,
  tests: () => void,
): void =>
  describeWith(
    programs.find((program) => !isThere(program)) ?? null,
    { variable, remedy: `apt-get install ${packages}` },
    name,
    tests,
  );

export const describeWithRedis = (name: string, tests: () => void): void =>
  describeWithPrograms(
    ['redis-server'],
    { variable: 'SWARD_REQUIRE_REDIS', packages: 'redis-server' },
    name,
    tests,
  );

/** A Redis of a test's own. */
export interface LocalRedis {
  readonly url: string;
  /** As when its machine loses power. */
  kill(): Promise<void>;
  /** Starts it again, with what its append-only file holds. */
  start(): Promise<void>;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return port;
}

/** Starts a Redis that keeps an append-only file in a folder. */
export async function startRedis(folder: string): Promise<LocalRedis> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  let child: ChildProcess | null = null;
  const redis: LocalRedis = {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      const ended = new Promise((settle) => child?.once('exit', settle));
      if (child?.kill('SIGKILL')) await ended;
      child = null;
    },
    async start() {
      const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
      child = spawn('redis-server', [...options, '--appendonly', 'yes', '--appendfsync', 'everysec'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      await new Promise<void>((settle, fail) => {
        let said = '';
        child?.stdout?.on('data', (text: Buffer) => {
          said += text.toString();
          if (said.includes('Ready to accept connections')) settle();
        });
        child?.once('exit', () => fail(new Error(said)));
      });
    },
  };
  await redis.start();
  return redis;
}
