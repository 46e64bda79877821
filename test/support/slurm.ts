import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeWithPrograms, freePort } from './redis-server.ts';
import { until } from './until.ts';

/** A cluster of one node, this machine. */
export interface LocalSlurm {
  /** Runs one of Slurm's commands. */
  run(program: string, ...args: string[]): string;
  end(): Promise<void>;
}

export const describeWithSlurm = (name: string, tests: () => void): void =>
  describeWithPrograms(
    ['munged', 'slurmctld', 'slurmd', 'sbatch'],
    { variable: 'SWARD_REQUIRE_SLURM', packages: 'slurm-wlm munge' },
    name,
    tests,
  );

/** Starts Slurm with everything that it keeps in a folder, and ports of its own. */
export async function startSlurm(folder: string, processors: number): Promise<LocalSlurm> {
  mkdirSync(folder, { recursive: true });
  // Munge keeps its key and socket to itself: it refuses folders that others may write.
  chmodSync(folder, 0o755);
  const at = (name: string): string => join(folder, name);
  for (const name of ['munge', 'state', 'spool']) mkdirSync(at(name), { mode: 0o755 });
  writeFileSync(at('munge/key'), randomBytes(128), { mode: 0o400 });
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  chownSync(at('munge/key'), uid, gid);
  const user = execFileSync('id', ['-un']).toString().trim();
  const host = hostname().split('.')[0] ?? 'localhost';
  const socket = at('munge/socket');
  writeFileSync(
    at('slurm.conf'),
    [
      'ClusterName=test',
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmUser=${user}`,
      `SlurmdUser=${user}`,
      'AuthType=auth/munge',
      `AuthInfo=socket=${socket}`,
      'CredType=cred/munge',
      `SlurmctldPort=${await freePort()}`,
      `SlurmdPort=${await freePort()}`,
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool')}`,
      `SlurmctldPidFile=${at('slurmctld.pid')}`,
      `SlurmdPidFile=${at('slurmd.pid')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'AccountingStorageType=accounting_storage/none',
      'JobAcctGatherType=jobacct_gather/none',
      'SchedulerParameters=batch_sched_delay=1,sched_min_interval=1',
      'MpiDefault=none',
      'ReturnToService=2',
      // A job that is requeued waits so long where no node says when it was booted.
      'KillWait=1',
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${processors} RealMemory=1000 State=UNKNOWN`,
      `PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
    ].join('\n'),
  );
  const env = { ...process.env, SLURM_CONF: at('slurm.conf') };
  const started: ChildProcess[] = [];
  const start = (program: string, ...args: string[]): void => {
    started.push(spawn(program, args, { env, stdio: 'ignore' }));
  };
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  start(
    'munged',
    ...['--foreground', '--force', '--socket', socket, '--key-file', at('munge/key')],
    ...['--pid-file', at('munge/pid'), '--log-file', at('munge/log'), '--seed-file', at('munge/seed')],
  );
  start('slurmctld', '-D', '-f', at('slurm.conf'), '-L', at('slurmctld.log'));
  start('slurmd', '-D', '-f', at('slurm.conf'), '-L', at('slurmd.log'), '-N', host);
  await until(() => {
    try {
      return /idle/.test(run('sinfo', '--noheader', '--format=%T'));
    } catch {
      return false;
    }
  });
  return {
    run,
    async end() {
      const ended = started.map((child) => new Promise((settle) => child.once('exit', settle)));
      for (const child of started.reverse()) child.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}
