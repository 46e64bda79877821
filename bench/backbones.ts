import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { SwardError } from '../src/ground/errors.ts';
import { ARCHITECTURE_NAMES } from '../src/vision/backbones/index.ts';
import type { Figures } from './backbones/measure.ts';
import { MODELS, type Model, THREADS } from './backbones/models.ts';
import { torchSeconds } from './backbones/torch.ts';

interface Row extends Figures {
  /** PyTorch's seconds over ours; null where PyTorch cannot be imported or has no counterpart. */
  readonly torch_ratio: number | null;
}

/**
 * Measures every backbone at its real size with random weights, one picture at a time, each in a process of its
 * own. Needs up to 4 GB of disk for a while, and about a minute a backbone. `SWARD_BENCH` (a regular
 * expression) chooses some by name.
 */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const wanted = new RegExp(process.env.SWARD_BENCH ?? '', 'i');
  const models = MODELS.filter(({ arch, name }) => ARCHITECTURE_NAMES.includes(arch) && wanted.test(name));
  console.error(
    `${'backbone'.padEnd(22)}seconds  of GEMM  int8   peak MiB  start s  PyTorch (${THREADS} threads)`,
  );
  const rows = models.map((model) => {
    const figures = measured(model);
    const theirs = torchSeconds(model, THREADS);
    const row = { ...figures, torch_ratio: theirs === null ? null : theirs / figures.seconds };
    console.error(line(row));
    return row;
  });
  return { rows };
}

/** Peak memory is a process's, so each model gets one. */
function measured({ name }: Model): Figures {
  const script = join(import.meta.dirname, 'backbones', 'measure.ts');
  const result = spawnSync(process.execPath, [...process.execArgv, script, name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (result.status !== 0) throw new SwardError(`measuring ${name} failed`);
  return JSON.parse(result.stdout) as Figures;
}

function line(row: Row): string {
  return [
    row.name.padEnd(22),
    row.seconds.toFixed(2).padStart(7),
    `${(100 * row.gemm_fraction).toFixed(0)} %`.padStart(9),
    row.int8_factor.toFixed(2).padStart(6),
    row.peak_mib.toFixed(0).padStart(11),
    row.start_seconds.toFixed(2).padStart(9),
    row.torch_ratio === null ? '–'.padStart(9) : `${row.torch_ratio.toFixed(1)} times`.padStart(10),
  ].join('');
}
