import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PLAN_TARGETS, type PlanTarget } from '../cluster/choices.ts';
import type { Engine, PlanSettings } from '../cluster/index.ts';
import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { packageFile } from '../ground/package-file.ts';
import { type CommandRegistrar, formed, positiveWhole, wholeNumber } from './command.ts';
import { printResult, say } from './console.ts';

interface PlanCommandOptions extends Omit<PlanSettings, 'program'> {
  readonly to: PlanTarget;
  readonly out: string;
  readonly json?: boolean;
}

/** What tasks run, whatever began the process that plans: from the package's folder on. */
const PROGRAM = 'dist/cli/main.js';

/** Commands whose work can be planned. */
const PLANNABLE = ['train', 'predict', 'features'];

// What stands in a script or manifest is of these forms, so that no option is read as a command there.
const MEMORY = /^\d+(\.\d+)?([KMGT]i?)?B?$/i;
/** Minutes, minutes:seconds, hours:minutes:seconds, days-hours, and so on (sbatch). */
const TIME = /^(\d+-)?\d+(:\d{1,2}){0,2}$|^(UNLIMITED|INFINITE)$/i;
const NAMES = /^[\w.-]+(,[\w.-]+)*$/;
const IMAGE = /^[\w./:@-]+$/;

/** `sward plan`: lays a command's work out for Slurm or Kubernetes. */
export const registerPlan: CommandRegistrar = (program) => {
  program
    .command('plan')
    .description('lay the work of a command out for Slurm or Kubernetes')
    .usage('--to slurm|kubernetes --out DIR [options] -- train|predict|features …')
    .argument('<COMMAND...>', 'the command, after --')
    .addOption(
      new Option('--to <engine>', 'what is to compute it').choices(PLAN_TARGETS).makeOptionMandatory(),
    )
    .requiredOption('--out <DIR>', 'folder for scripts or manifest')
    .option('--cpus <n>', 'processors of a task', positiveWhole('--cpus'), 4)
    .option('--memory <size>', 'memory of a task, as 8G', formed('--memory', MEMORY, '8G or 8Gi'), '8G')
    .option('--gpus <n>', 'GPUs of a task', wholeNumber('--gpus'), 0)
    .option('--parallel <n>', 'most tasks at the same time', positiveWhole('--parallel'))
    .option(
      '--time <limit>',
      'Slurm: longest time of a task, as 4:00:00',
      formed('--time', TIME, '4:00:00 or 2-12'),
    )
    .option('--partition <name>', 'Slurm: where it runs', formed('--partition', NAMES, 'gpu or gpu,long'))
    .option(
      '--image <name>',
      'Kubernetes: image of sward; default sward:latest, as the Dockerfile makes it',
      formed('--image', IMAGE, 'registry/sward:latest'),
    )
    .option(
      '--secret <name>',
      'Kubernetes: secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; default sward-s3',
      formed('--secret', NAMES, 'sward-s3'),
    )
    .option('--volume <claim:/path>', 'Kubernetes: a volume that store and data lie on', volume)
    .option('--json', 'print the result as JSON')
    .action(async (words: string[], { to, out, json, ...settings }: PlanCommandOptions) => {
      const called =
        to === 'slurm' ? [process.execPath, packageFile(PROGRAM)] : ['node', `/sward/${PROGRAM}`];
      const { planEngine } = await import('../cluster/index.ts');
      const engine = planEngine(to, out, words, { ...settings, program: called });
      await runWith(program, words, engine);
      const { written } = engine;
      if (!written) {
        say(`there is nothing left to compute: ${words.join(' ')} has finished`);
        if (json) printResult(json, () => ({ units: 0 }), String);
        return;
      }
      const { plan, files } = written;
      printResult(
        json,
        () => ({ ...plan, files }),
        () =>
          [
            `${countOf(plan.units, 'unit')} in ${plan.store}/${plan.job}`,
            ...files,
            to === 'slurm'
              ? `bash ${out}/submit.sh submits the array and its gathering`
              : `kubectl apply -f ${out}/job.yaml; then sward gather ${out}`,
          ].join('\n'),
      );
    });
};

/** `sward gather`: makes the result of what a plan's units have computed. */
export const registerGather: CommandRegistrar = (program) => {
  program
    .command('gather')
    .description('make the result of what the units of a plan have computed')
    .argument('<DIR>', 'folder that sward plan wrote')
    .action(async (folder: string) => {
      const { gatherEngine, isGathered, noteGathered, readPlan } = await import('../cluster/index.ts');
      const place = resolve(folder);
      const plan = await readPlan(folder);
      if (await isGathered(plan)) return say(`is gathered already: ${plan.out}`);
      process.chdir(plan.folder);
      await runWith(program, plan.command, gatherEngine(place, plan), plan.store);
      await noteGathered(place, plan);
    });
};

/** Runs another command with its work done by an engine. */
async function runWith(
  program: Command,
  [name = '', ...words]: readonly string[],
  engine: Engine,
  store?: string,
): Promise<void> {
  const command = program.commands.find((one) => one.name() === name);
  if (!command || !PLANNABLE.includes(name)) {
    throw new UsageError(`${name}: give one of ${PLANNABLE.join(', ')} after --`);
  }
  if (words.some((word) => /^--on(=|$)/.test(word)))
    throw new UsageError('--on has no part in a plan; leave it out');
  command.setOptionValue('engine', engine);
  if (store !== undefined && !words.includes('--store')) command.setOptionValue('store', store);
  await command.parseAsync(words, { from: 'user' });
}

function volume(text: string): { claim: string; path: string } {
  const [, claim, path] = /^([\w.-]+):(\/.*)$/.exec(text) ?? [];
  if (claim && path) return { claim, path };
  throw new UsageError(`--volume ${text}: give the claim and where it is mounted, as data:/shared`);
}
