import { existsSync } from 'node:fs';
import { Command, CommanderError, Help } from 'commander';
import { configure } from '../ground/environment.ts';
import { messageOf, SwardError, UsageError } from '../ground/errors.ts';
import { nearestTo } from '../ground/setting-list.ts';
import { packageVersion } from '../ground/version.ts';
import { registerBackbones } from './backbones.ts';
import { registerCheck } from './check.ts';
import { type CommandRegistrar, requireGivenOnce } from './command.ts';
import { say } from './console.ts';
import { endProgress } from './console-progress.ts';
import { registerDemo } from './demo.ts';
import { registerEnsemble } from './ensemble.ts';
import { environmentFrom } from './environment.ts';
import { registerExport } from './export.ts';
import { registerFeatures } from './features.ts';
import { registerFolds } from './folds.ts';
import { registerImport } from './import.ts';
import { registerModels } from './models.ts';
import { registerGather, registerPlan } from './plan.ts';
import { registerPredict } from './predict.ts';
import { registerPretrain } from './pretrain.ts';
import { registerPseudo } from './pseudo.ts';
import { registerRecipes } from './recipes.ts';
import { registerReport } from './report.ts';
import { registerSample } from './sample.ts';
import { registerScore } from './score.ts';
import { registerServe } from './serve.ts';
import { registerShare } from './share.ts';
import { registerSubmit } from './submit.ts';
import { registerTrain } from './train.ts';
import { registerUnit } from './unit.ts';
import { registerVisit } from './visit.ts';
import { registerWork } from './work.ts';

const COMMANDS: readonly CommandRegistrar[] = [
  registerDemo,
  registerSample,
  registerCheck,
  registerFolds,
  registerRecipes,
  registerTrain,
  registerImport,
  registerPredict,
  registerPseudo,
  registerPretrain,
  registerSubmit,
  registerScore,
  registerEnsemble,
  registerReport,
  registerExport,
  registerShare,
  registerFeatures,
  registerBackbones,
  registerModels,
  registerServe,
  registerVisit,
  registerWork,
  registerPlan,
  registerGather,
  registerUnit,
];

/** Exit codes: 1 for input that cannot be used, 2 for a command that cannot be understood. */
export const FAILED = 1;
const MISUSED = 2;

function buildProgram(): Command {
  const program = new Command('sward')
    .description('Pasture biomass from photos of quadrats: train, cross-validate, predict, submit.')
    .version(packageVersion())
    .option('--debug', 'show where in the program an error arose')
    // Who reads the help of a command is to see what it does not run without.
    .configureHelp({
      optionDescription(option) {
        const described = new Help().optionDescription(option);
        return option.mandatory && option.defaultValue === undefined ? `${described} (required)` : described;
      },
    })
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  for (const register of COMMANDS) register(program);
  requireGivenOnce(program);
  // Whoever waits for an answer hears soon of a store that is not there; a machine's share of a plan waits for it.
  program.hook('preAction', async (_, command) => {
    const words = [...command.args, ...Object.values(command.opts())].flat();
    const namesBucket = words.some((word) => typeof word === 'string' && word.includes('s3://'));
    if (!namesBucket || command.name() === 'unit') return;
    const { requireEndpoint } = await import('../cluster/index.ts');
    await requireEndpoint(say);
  });
  // Commands inherit neither of the two from the program.
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  return program;
}

/** What is said beside an option that is missing: which of those given may have been meant. */
function misspelledOption(program: Command, error: unknown, words: readonly string[]): string {
  if (!(error instanceof CommanderError) || error.code !== 'commander.missingMandatoryOptionValue') return '';
  const command = program.commands.find((candidate) => words.includes(candidate.name()));
  const options = [...(command?.options ?? []), ...program.options].flatMap(({ long }) => long ?? []);
  const unknown = words
    .map((word) => word.split('=')[0] as string)
    .find((word) => word.startsWith('--') && !options.includes(word));
  const meant = unknown === undefined ? undefined : nearestTo(unknown, options);
  if (meant !== undefined) return ` (Did you mean ${meant} by ${unknown}?)`;
  return unknown === undefined ? '' : ` (there is no ${unknown})`;
}

const OF_PHOTOS = /\.(jpe?g|png|heic|heif|webp|avif|tiff?)$/i;

/** What is said beside a photo in the place of a command: how it is estimated. */
function photoAsCommand(error: unknown, words: readonly string[]): string {
  if (!(error instanceof CommanderError) || error.code !== 'commander.unknownCommand') return '';
  const photo = words.find((word) => !word.startsWith('-'));
  if (photo === undefined || !OF_PHOTOS.test(photo) || !existsSync(photo)) return '';
  return ` (to estimate photos: sward predict starter ${photo} --out predictions.csv)`;
}

/**
 * Tells of a failure in one line.
 *
 * @param words of the command line, which say whether more is wanted
 * @param further what is said beside it
 * @returns the exit code
 */
export function tell(error: unknown, words: readonly string[], further = ''): number {
  endProgress();
  const line = `${messageOf(error).replaceAll(/\s*\n\s*/g, ' ')}${further}`;
  say(line.startsWith('error:') ? line : `error: ${line}`);
  const isForeseen = error instanceof SwardError || error instanceof CommanderError;
  if (words.includes('--debug') && error instanceof Error) {
    for (const at of (error.stack ?? '').split('\n')) say(at);
  } else if (!isForeseen) say('This should not happen; --debug shows where it arose.');
  return error instanceof UsageError || error instanceof CommanderError ? MISUSED : FAILED;
}

/**
 * Runs one command, which prints on the streams of the process and reads its variables.
 *
 * @param words of the command line, without the program's name
 * @returns the exit code
 */
export async function runCommand(words: readonly string[]): Promise<number> {
  configure(environmentFrom(process.env));
  const program = buildProgram();
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.stderr.write(program.helpInformation());
      return MISUSED;
    }
    return tell(error, words, misspelledOption(program, error, words) || photoAsCommand(error, words));
  }
}
