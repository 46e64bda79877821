import { countOf } from '../ground/counts.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import { type DemoOutcome, runDemo, scoreToJson, USUAL_COVERAGE } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { MARK, predictionSummary } from './predict-summary.ts';
import { shown } from './tables.ts';
import { trainingSummary } from './train.ts';

/** `sward demo`: the main job on the bundled sample. */
export const registerDemo: CommandRegistrar = (program) => {
  program
    .command('demo')
    .description('ask the starter, then render the sample, check, train, predict and report')
    .option('--out <RUN>', 'run folder to write', 'sward-demo')
    .option('--json', 'print the result as JSON')
    .action(async ({ out, json }: { out: string; json?: boolean }) => {
      const outcome = await runDemo(out, { progress: consoleProgress() });
      const { starter, check, results, test, sample, submission, report } = outcome;
      printResult(
        json,
        () => ({
          sample,
          submission,
          report,
          starter: {
            photos: starter.predictions.length,
            unlike_its_own: new Set(starter.doubts.map(({ imageId }) => imageId)).size,
          },
          problems: check.problems.length,
          out_of_fold: scoreToJson(results.outOfFold),
          test: scoreToJson(test),
        }),
        () => demoText(outcome),
      );
    });
};

function demoText({ starter, check, results, test, sample, submission, report }: DemoOutcome): string {
  const { predictions, paddock, doubts } = starter;
  const doubtful = new Set(doubts.map(({ imageId }) => imageId));
  const errors = check.problems.filter(({ severity }) => severity === 'error').length;
  return [
    '',
    `1  The starter, trained on real pasture, looks at ${countOf(predictions.length, 'picture')} of the sample:`,
    predictionSummary(predictions, paddock, {
      area: QUADRAT_AREA_SQUARE_METRES,
      coverage: USUAL_COVERAGE,
      doubtful,
    }),
    `The sample is drawn, not photographed: what the starter says of it means nothing, and ${doubtful.size} of ` +
      `${predictions.length} are marked${MARK} as`,
    'unlike its training photos. The mark catches what is grossly different, not every drawing; look for it on ' +
      'photos of your own.',
    '',
    `2  The sample is checked: ${check.trainPhotos} training and ${check.testPhotos} test photos, ` +
      `${countOf(errors, 'error')}.`,
    '',
    '3  A run is trained on the sample and scored on visits it has not seen:',
    trainingSummary(results),
    '',
    `4  It answers the ${test.imageCount} test photos, of further visits: weighted R² ${shown(test.weightedR2, 4)}`,
    '',
    `report       ${report}`,
    `submission   ${submission}`,
    `sample       ${sample}`,
    '',
    'What next',
    '  a photo of a 70 × 30 cm quadrat, taken straight from above:   sward predict photo.jpg',
    '  all photos of a paddock, their mean and its total:            sward predict paddock/ --hectares 12',
    '  your own cuts, which beat any starter:                        sward train DATA --out RUN',
    '  then with them:                                               sward predict RUN paddock/ --coverage 0.9',
    '  (sward is `node dist/cli/main.js` here)',
  ].join('\n');
}
