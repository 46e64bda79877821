import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { countOf } from '../ground/counts.ts';
import { SwardError, UsageError } from '../ground/errors.ts';
import { isLoopback, isOwnMachine } from '../ground/own-machine.ts';
import type { VerifiedFarm } from '../server/index.ts';
import { type CommandRegistrar, positiveNumber, positiveWhole, wholeNumber } from './command.ts';

/** The farm's folder where none is named. */
const DATA = 'sward-farm';

/** Loaded when it is asked for: other commands need no database. */
const loadServer = () => import('../server/index.ts');

interface ServeOptions {
  readonly data: string;
  readonly host?: string;
  readonly port?: number;
  readonly run?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindProxy?: boolean;
  readonly publicUrl?: string;
  readonly ownerLink?: boolean;
  readonly workers: number;
  readonly queue?: number;
  readonly photoMib?: number;
}

/** `sward serve`: the farm's own server, and the care of its data. */
export const registerServe: CommandRegistrar = (program) => {
  const serve = program
    .command('serve')
    .description('keep a farm’s paddocks, photos, cuts and estimates, and answer phones and browsers')
    .option('--data <DIR>', 'folder of the farm', DATA)
    .option(
      '--host <address>',
      'address to listen at, default 127.0.0.1; one that others reach needs TLS or a proxy',
    )
    .option('--port <n>', 'port, default 8080; 0 is any that is free', wholeNumber('--port'))
    .option('--run <RUN>', 'run that answers from now on; default the one chosen last, at first the starter')
    .option('--tls-cert <F>', 'certificate, PEM')
    .option('--tls-key <F>', 'its key, PEM')
    .option('--behind-proxy', 'a reverse proxy encrypts and says who asks (X-Forwarded-For, -Proto, -Host)')
    .option('--public-url <URL>', 'address that phones reach it by, for links and QR codes', publicUrl)
    .option('--owner-link', 'print a new owner link though there is an owner')
    .option(
      '--workers <n>',
      'processes that infer, one thread each',
      positiveWhole('--workers'),
      Math.max(1, availableParallelism() - 1),
    )
    .option('--queue <n>', 'requests that may wait for them; default 8 a process', positiveWhole('--queue'))
    .option('--photo-mib <n>', 'largest photo, MiB; default 40', positiveNumber('--photo-mib'))
    .action(serveUntilEnded);
  addCare(serve);
};

/** @throws UsageError for what is no address that phones can open */
function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  const isOrigin = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url && isSafe && isOrigin) return url.origin;
  throw new UsageError(
    `--public-url ${text}: give what phones open, as https://farm.example.org, without a path`,
  );
}

async function serveUntilEnded({
  tlsCert,
  tlsKey,
  workers,
  queue,
  photoMib,
  ...given
}: ServeOptions): Promise<void> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('give --tls-cert and --tls-key together');
  }
  keepToOwner();
  const { DEFAULT_SETTINGS, poolOf, startServer } = await loadServer();
  const server = await startServer({
    ...DEFAULT_SETTINGS,
    ...given,
    ...(photoMib !== undefined && { photoBytes: photoMib * 2 ** 20 }),
    pool: { ...poolOf(workers), ...(queue !== undefined && { queue }) },
    ...(tlsCert !== undefined && tlsKey !== undefined && { tls: { certificate: tlsCert, key: tlsKey } }),
  });
  process.stdout.write(`sward listens at ${server.address}, and keeps the farm in ${given.data}\n`);
  if (server.ownerLink !== null) {
    process.stdout.write(
      `Open this link once, within a day, on the device that is to own the farm:\n${server.ownerLink}\n`,
    );
    if (isOwnMachine(new URL(server.ownerLink).hostname)) {
      process.stdout.write(
        'It works on this machine alone. For phones give TLS or a proxy and --public-url (docs/server.md).\n',
      );
    }
    if (process.stdout.isTTY) {
      const { toString: qrCode } = await import('qrcode');
      process.stdout.write(await qrCode(server.ownerLink, { type: 'terminal', small: true }));
    }
  }
  await ended();
  await server.close();
}

/** What this process and those it starts write from now on, its user alone may read: a farm's files, whatever makes them. */
const keepToOwner = (): void => void process.umask(0o077);

/** Waits for a signal to end. The command line's own way, to end at once, would break off what runs. */
function ended(): Promise<void> {
  return new Promise((settle) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.removeAllListeners(signal);
      // Once: a second one is from somebody who will not wait.
      process.once(signal, () => settle());
    }
  });
}

/** `backup`, `restore`, `verify`, `export`. */
function addCare(serve: Command): void {
  const dataOf = (command: Command): string => (command.optsWithGlobals() as { data: string }).data;
  serve
    .command('backup')
    .description('write database, photos and runs into one tar file; the server may run')
    .argument('<FILE>', 'file to write')
    .action(async (file: string, _, command: Command) => {
      keepToOwner();
      const { backupFarm } = await loadServer();
      const { photos, runs, damagedRuns } = await backupFarm(dataOf(command), file);
      process.stdout.write(`${file}: ${countOf(photos, 'photo')}, ${countOf(runs, 'run')}\n`);
      if (damagedRuns.length === 0) return;
      for (const sentence of damagedRuns) process.stderr.write(`${sentence}\n`);
      const count = countOf(damagedRuns.length, 'run');
      throw new SwardError(`${file} is written, with ${count} as damaged as they are; add them again`);
    });
  serve
    .command('restore')
    .description('make the farm’s folder of a backup; it must be new or empty')
    .argument('<FILE>', 'file that backup wrote')
    .action(async (file: string, _, command: Command) => {
      keepToOwner();
      const { restoreFarm } = await loadServer();
      const data = dataOf(command);
      tellFound(data, await restoreFarm(file, data));
    });
  serve
    .command('verify')
    .description('check that every record is whole and every photo there with its hash')
    .action(async (_, command: Command) => {
      const { verifyFarm } = await loadServer();
      const data = dataOf(command);
      const found = await verifyFarm(data);
      tellFound(data, found);
      const problems = found.problems.length + found.damagedRuns.length + found.runsElsewhere.length;
      if (problems === 0) return;
      const count = countOf(problems, 'problem');
      throw new SwardError(`${data}: ${count}; restore a backup, or see docs/server.md`);
    });
  serve
    .command('export')
    .description('write photos with their cuts as a data folder that sward train takes')
    .argument('<DIR>', 'folder to write')
    .action(async (out: string, _, command: Command) => {
      const { exportTrainingFolder } = await loadServer();
      process.stdout.write(`${out}: ${countOf(await exportTrainingFolder(dataOf(command), out), 'photo')}\n`);
    });
}

function tellFound(data: string, found: VerifiedFarm): void {
  process.stdout.write(`${data}: ${foundSentence(found)}\n`);
  for (const sentence of [...found.problems, ...found.damagedRuns, ...found.runsElsewhere])
    process.stderr.write(`${sentence}\n`);
}

const foundSentence = ({ photos, cuts, estimates, unnamedPhotos }: VerifiedFarm): string =>
  [
    `${countOf(photos, 'photo')}, ${countOf(cuts, 'cut')}, ${countOf(estimates, 'estimate')}`,
    ...(unnamedPhotos > 0 ? [`${countOf(unnamedPhotos, 'photo file')} of uploads that were broken off`] : []),
  ].join('; ');
