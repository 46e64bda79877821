import { scoreFiles } from '../train/score.ts';
import { scoreToJson } from '../train/score-json.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { scoreTable } from './tables.ts';

/** `sward score`: the competition's metric of a file of predictions. */
export const registerScore: CommandRegistrar = (program) => {
  program
    .command('score')
    .description('score predictions against measured masses')
    .argument('<TRUTH.csv>', 'measured masses, sample_id,target')
    .argument('<PRED.csv>', 'predicted masses, sample_id,target')
    .option('--json', 'print the score as JSON')
    .action(async (truth: string, predictions: string, { json }: { json?: boolean }) => {
      const { score, unknownIds } = await scoreFiles(truth, predictions);
      if (unknownIds.length > 0) {
        process.stderr.write(
          `${predictions}: ${unknownIds.length} photos are not in ${truth} and were left out\n`,
        );
      }
      printResult(
        json,
        () => scoreToJson(score),
        () => scoreTable(score),
      );
    });
};
