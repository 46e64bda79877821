import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { messageOf, SwardError } from '../src/ground/errors.ts';
import type { Precision, Provider } from '../src/tensor/index.ts';
import { casesFor } from './gpu/cases.ts';
import { cudaEnvironment } from './gpu/libraries.ts';
import type { Measured, Row } from './gpu/measure.ts';
import { answerOf, finished } from './recipe/processes.ts';
import { pythonsWith, UNHINDERED } from './yardstick/python.ts';

/** All of it, in under eight minutes: sward's part, shared by its providers, and PyTorch's. */
const OWN_SECONDS = 300;
const TORCH_SECONDS = 120;

/** How far from the CPU a card may be: products in single precision are TF32 by default. */
const WITHIN: Readonly<Record<Precision, number>> = {
  ...{ float32: 5e-3, float16: 1e-2 },
  ...{ bfloat16: 5e-2, int8: 5e-2 },
};

interface ProviderFigures extends Measured {
  readonly provider: Provider;
}

interface TorchRow extends Pick<Row, 'name' | 'kind' | 'precision'> {
  readonly seconds: number;
  readonly peakMib: number | null;
}

interface TorchFigures {
  readonly rows: readonly TorchRow[];
  readonly description: string;
}

interface Figures {
  readonly providers: readonly ProviderFigures[];
  readonly torch: TorchFigures | null;
}

/**
 * Backbones and a whole training step on a graphics card, in single and in half precision, with how far they are from
 * the CPU and how much memory they take, beside PyTorch under bfloat16 autocast on the same card. `SWARD_PROVIDER`
 * names one provider; `cpu` runs small cases of the whole anywhere. `SWARD_CUDA_LIBRARIES` has the CUDA provider where
 * onnxruntime-node's install lacks it and nothing can be fetched. Takes at most eight minutes.
 *
 * @throws SwardError when no provider can be used
 */
export async function run(): Promise<Figures> {
  const wanted = process.env.SWARD_PROVIDER as Provider | undefined;
  const usable = new Map<Provider, NodeJS.ProcessEnv>();
  const problems: string[] = [];
  for (const provider of wanted ? [wanted] : (['cuda', 'webgpu'] as const)) {
    try {
      usable.set(provider, environmentFor(provider));
    } catch (error) {
      problems.push(`${provider}: ${messageOf(error)}`);
      console.error(`left out  ${problems.at(-1)}`);
    }
  }
  if (usable.size === 0) throw new SwardError(`no provider can be used here; ${problems.join('; ')}`);
  const providers: ProviderFigures[] = [];
  for (const [provider, environment] of usable) {
    const deadline = Date.now() + (1000 * OWN_SECONDS) / usable.size;
    const { output } = await finished(
      process.execPath,
      child('measure', provider, String(deadline)),
      environment,
    );
    providers.push({ provider, ...(JSON.parse(output) as Measured) });
  }
  const torch = await torchFigures(wanted ?? [...usable.keys()][0] ?? 'cpu');
  for (const figures of providers) show(figures, torch);
  return { providers, torch };
}

const child = (script: string, ...args: readonly string[]): string[] => [
  ...process.execArgv,
  join(import.meta.dirname, 'gpu', `${script}.ts`),
  ...args,
];

/** @throws SwardError when the provider computes nothing here */
function environmentFor(provider: Provider): NodeJS.ProcessEnv {
  if (provider === 'cuda' && spawnSync('nvidia-smi', ['-L']).status !== 0) {
    throw new SwardError('no NVIDIA driver here (nvidia-smi -L fails)');
  }
  const environment = provider === 'cuda' ? cudaEnvironment() : {};
  const env = { ...process.env, ...environment };
  const { status, stderr } = spawnSync(process.execPath, child('probe', provider), { env, encoding: 'utf8' });
  if (status === 0) return environment;
  const [, missing] = /(\S+): cannot open shared object file/.exec(stderr) ?? [];
  if (missing)
    throw new SwardError(`${missing} is missing; pip install NVIDIA's package of it for SWARD_PYTHON`);
  const said = stderr.split('\n').find((line) => /Error: /.test(line)) ?? stderr.trim().split('\n').at(-1);
  throw new SwardError(said?.replace(/^.*?Error: /, '') ?? 'it fails');
}

/** The same cases in PyTorch; null where no Python here has it and timm. */
async function torchFigures(provider: Provider): Promise<TorchFigures | null> {
  const [python] = pythonsWith(['torch', 'timm'], UNHINDERED);
  if (python === undefined) {
    console.error('no Python here has torch and timm; set SWARD_PYTHON');
    return null;
  }
  const spec = { ...casesFor(provider), provider, seconds: TORCH_SECONDS };
  const script = join(import.meta.dirname, 'gpu', 'torch_gpu.py');
  try {
    return await answerOf<TorchFigures>(python, script, spec, UNHINDERED);
  } catch (error) {
    console.error(messageOf(error));
    return null;
  }
}

function show({ provider, rows, placement }: ProviderFigures, torch: TorchFigures | null): void {
  console.error(`\n${provider}, times that PyTorch takes: ${torch?.description ?? 'not known'}`);
  const heads = ['ms a batch', 'a second', 'from CPU', 'peak MiB', 'fp32', 'bf16 (MiB)'];
  console.error(
    `${'case'.padEnd(30)}${'precision'.padEnd(10)}${heads.map((head) => head.padStart(12)).join('')}`,
  );
  for (const row of rows) console.error(line(row, torch?.rows ?? []));
  const nodes = Object.entries(placement).map(([where, operators]) => {
    const count = Object.values(operators).reduce((sum, number) => sum + number, 0);
    return `${where} ${count}${where.startsWith('CPU') ? ` (${Object.keys(operators).join(', ')})` : ''}`;
  });
  console.error(`nodes of a step: ${nodes.join(', ')}`);
}

function line(row: Row, torch: readonly TorchRow[]): string {
  const { name, kind, precision, batch, seconds, difference, peakMib, problem } = row;
  const start = `${`${name} (${batch})`.padEnd(30)}${precision.padEnd(10)}`;
  if (seconds === null || difference === null) return `${start}  ${problem}`;
  const beside = (theirs: Precision): TorchRow | undefined =>
    torch.find((found) => found.name === name && found.kind === kind && found.precision === theirs);
  const times = (found: TorchRow | undefined): string => (found ? (found.seconds / seconds).toFixed(2) : '–');
  const half = beside('bfloat16');
  return [
    start,
    ...[(1000 * seconds).toFixed(1), (batch / seconds).toFixed(1)].map((text) => text.padStart(12)),
    `${difference.toExponential(1)}${difference > WITHIN[precision] ? ' !' : ''}`.padStart(12),
    (peakMib === null ? '–' : String(Math.round(peakMib))).padStart(12),
    times(beside('float32')).padStart(12),
    `${times(half)}${half?.peakMib ? ` (${Math.round(half.peakMib)})` : ''}`.padStart(12),
  ].join('');
}
