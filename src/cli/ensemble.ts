import { join } from 'node:path';
import { Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import { caseWords } from '../pasture/covariates.ts';
import {
  betterMember,
  caseToJson,
  DEFAULT_SHRINK,
  type EnsembleFacts,
  FITTED_METHODS,
  headlineRows,
  lackingStates,
  type Method,
  mainCase,
  makeEnsemble,
  meanAnswerScore,
  type RunResults,
  scoreToJson,
} from '../workflows/index.ts';
import { type CommandRegistrar, optionNumber, wholeNumber } from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { caseTable, scoreTable, shown, textTable } from './tables.ts';

interface EnsembleCommandOptions {
  readonly out: string;
  readonly weights: string;
  readonly method?: Method;
  readonly perTarget?: boolean;
  readonly shrink: number;
  readonly post?: string;
  readonly seed: number;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward ensemble`: combines runs by their out-of-fold predictions into a run of its own. */
export const registerEnsemble: CommandRegistrar = (program) => {
  program
    .command('ensemble')
    .description('combine runs on the same photos, and post-process the result')
    .argument('<RUN...>', 'finished runs; one is enough for post-processing')
    .requiredOption('--out <RUN>', 'run folder to write')
    .option('--weights <auto|0.4,0.3,…>', 'fitted on out-of-fold predictions, or one weight a run', 'auto')
    .addOption(
      new Option('--method <how>', 'how auto weights are found (default: nnls)').choices(FITTED_METHODS),
    )
    .option('--per-target', 'weights of its own for every target, then a projection')
    .option('--shrink <n>', 'pull of nnls towards equal weights, 0: none', optionNumber, DEFAULT_SHRINK)
    .option('--post <step,…>', 'calibration, clip, projection=plain|metric|covariance|none, …')
    .option('--seed <n>', 'seed of greedy selection', wholeNumber('--seed'), 42)
    .option('--overwrite', 'replace the run that is in the folder')
    .option('--json', 'print the scores as JSON')
    .action(async (runs: string[], options: EnsembleCommandOptions) => {
      const { out, shrink, post = '', seed, perTarget, overwrite, json } = options;
      const results = await makeEnsemble({
        runs,
        out,
        ...combinationOf(options),
        shrink,
        post,
        seed,
        perTarget: perTarget ?? false,
        overwrite: overwrite ?? false,
        progress: consoleProgress(),
      });
      warnOfBetterMember(results.ensemble);
      printResult(
        json,
        () => ({
          run: out,
          ...scoreToJson(results.outOfFold),
          leave_one_state_out: results.leaveOneStateOut?.pooled.weightedR2 ?? null,
          ensemble: results.ensemble,
          ...(results.cases && { covariates: results.cases.map(caseToJson) }),
        }),
        () => [ensembleSummary(results), `report: ${join(out, 'report.html')}`].join('\n'),
      );
    });
};

function combinationOf({ weights, method }: EnsembleCommandOptions): {
  method: Method;
  weights?: readonly number[];
} {
  if (weights === 'auto') return { method: method ?? 'nnls' };
  if (method !== undefined)
    throw new UsageError('give either --weights by hand or a --method that finds them');
  const given = weights.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return { method: 'given', weights: given };
}

/** What an ensemble and its members score, as text. */
function ensembleSummary(results: RunResults): string {
  const { ensemble, cases } = results;
  const main = mainCase(cases);
  return [
    `${results.recipeName}${main ? ` ${caseWords(main.covariates)}` : ''}, out of fold:`,
    scoreTable(results.outOfFold),
    `answering each training part's mean: weighted R² ${shown(meanAnswerScore(headlineRows(results)), 4)}`,
    ...(ensemble ? [nestingSentence(ensemble)] : []),
    ...stateLines(results),
    ...(cases ? [caseTable(cases)] : []),
    ...(ensemble ? [memberTable(ensemble), ...stageLines(ensemble)] : []),
  ].join('\n');
}

/** The score of States held out, or which members leave the ensemble without. */
function stateLines({ leaveOneStateOut: states, ensemble }: RunResults): string[] {
  if (states) return [`one State held out at a time: weighted R² ${shown(states.pooled.weightedR2, 4)}`];
  const lacking = ensemble?.lacking_states ?? [];
  if (lacking.length === 0) return [];
  return [`no score of States held out one at a time: ${lackingStates(lacking)}`];
}

/** Weights by hand, equal ones and post-processing are as they are wanted, and may do harm. */
function warnOfBetterMember(facts: EnsembleFacts | null | undefined): void {
  const better = facts && betterMember(facts);
  if (!better) return;
  const scores = [facts.stages.at(-1)?.weighted_r2 ?? Number.NaN, better.weighted_r2];
  const [own, member] = scores.map((score) => shown(score, 4));
  say(`warning: the ensemble scores ${own}, below its member ${better.run} alone (${member})`);
}

function nestingSentence({ nested_by, in_sample, alone }: EnsembleFacts): string {
  if (alone) {
    return (
      `fitted weights score ${shown(alone.fitted_weighted_r2, 4)} nested, no better than ${alone.run} alone: the ` +
      'ensemble is that run, chosen by these same scores'
    );
  }
  return nested_by === null
    ? 'nothing was fitted to these predictions'
    : `fitted without the ${nested_by} that is scored; in sample it would be ${shown(in_sample, 4)}, too good`;
}

function memberTable({ members }: EnsembleFacts): string {
  const unseen = members.some(({ unseen_states }) => unseen_states !== undefined);
  const nested = members.map(({ run, recipe, weighted_r2, weights, without, unseen_states }) => [
    `${run} (${recipe})`,
    shown(weighted_r2, 4),
    weights ? weightText(weights) : '–',
    without === null ? '–' : shown(without, 4),
    ...(unseen ? [shown(unseen_states ?? Number.NaN, 4)] : []),
  ]);
  const heads = ['member', 'weighted R²', 'weight', 'ensemble without it'];
  return textTable([...heads, ...(unseen ? ['in unseen States'] : [])], nested);
}

/** One number where all targets share it, else one for each target in their usual order. */
function weightText(weights: readonly number[]): string {
  const [first = 0] = weights;
  return weights.every((weight) => weight === first)
    ? first.toFixed(3)
    : weights.map((weight) => weight.toFixed(2)).join(' ');
}

function stageLines({ stages }: EnsembleFacts): string[] {
  if (stages.length < 2) return [];
  const rows = stages.map(({ step, weighted_r2 }, index) => {
    const before = stages[index - 1]?.weighted_r2;
    const change =
      before === undefined ? '' : `${weighted_r2 >= before ? '+' : ''}${shown(weighted_r2 - before, 4)}`;
    return [step, shown(weighted_r2, 4), change];
  });
  return [textTable(['step', 'weighted R²', 'change'], rows)];
}
