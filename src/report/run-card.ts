import { capital } from '../ground/capital.ts';
import { markdownText } from '../ground/printable.ts';
import { caseWords } from '../pasture/covariates.ts';
import { nestedCoverage, USUAL_COVERAGE } from '../pasture/intervals/index.ts';
import { massWords } from '../pasture/partial.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import { calibrationRows } from '../runs/calibration.ts';
import { measuredCases, withoutCovariates } from '../runs/covariate-cases.ts';
import { covariateWords, type RunCovariate } from '../runs/covariates.ts';
import { type AboutRun, frameAreaOf, type TrainedManifest } from '../runs/manifest.ts';
import type { CaseResults, OutOfFoldRow, RunResults } from '../runs/results.ts';
import { learntColumns, TARGET_COLUMNS } from './rows/target-columns.ts';

/**
 * The card of a run that is passed on without its data (Mitchell et al. 2019), Markdown: what it was trained on, how
 * good it is on visits it has not seen, what it is not for, and its licence.
 */
export function runCard(
  manifest: TrainedManifest,
  results: RunResults,
  about: Pick<AboutRun, 'what' | 'licence' | 'attribution'>,
): string {
  const { recipe, data, folds, sward } = manifest;
  const alone = withoutCovariates(results);
  const { rows } = alone;
  const measured = measuredCases(results);
  const area = frameAreaOf(manifest);
  const per = gramsToKilogramsPerHectare(1, area);
  const isUsual = area === QUADRAT_AREA_SQUARE_METRES;
  const sections: readonly (readonly [heading: string, body: string])[] = [
    [
      'What it is for',
      `${predictedOf(rows)} of a ${area} m² ` +
        `quadrat${isUsual ? ' (70 × 30 cm)' : ''} of pasture photographed from above, in grams; grams × ${per.toFixed(1)} are kg DM/ha. ` +
        'A first estimate where no cuts of the farm are at hand, and the mean of many photos more than one.',
    ],
    [
      'What it was trained on',
      list([
        `${data.images} photos, ${countOf(rows, ({ session }) => session)} visits (date and State), ${listOf(rows, ({ state }) => state)}, ` +
          `${datesOf(rows)}; cut, dried and sorted`,
        `Pastures: ${listOf(rows, ({ species }) => species)}`,
        ...(data.covariates ?? []).map(covariateSentence),
        ...(rows.some(({ observed }) => !Number.isNaN(observed.total))
          ? [`Total dry matter of ${range(rows)} g a quadrat (${rangeOf(rows, per)} kg DM/ha)`]
          : []),
        'The photos, their ids and the table of their masses are not part of it. Masses can be worked out of a model that ' +
          'fits its photos closely.',
      ]),
    ],
    [
      'How good it is',
      [
        `Of visits that had no part in training: ${folds.count} folds, grouped by ${folds.grouping}, seed ${manifest.seed}` +
          `${measured.length > 0 ? ', photos alone' : ''}. ${scoreSentence(alone)}`,
        scoreRowsTable(alone),
        ...measured.flatMap((one) => [
          `${capital(caseWords(one.covariates))} measured beside ${one.rows.length} photos. ${scoreSentence(one)}`,
          scoreRowsTable(one),
        ]),
        'Intervals were made for every visit from the other visits alone.',
      ].join('\n\n'),
    ],
    [
      'What it is not for',
      list([
        'One photo is a rough guess; errors of a visit do not average out over its photos. `sward predict` tells the ' +
          'interval of each photo and of the mean of all.',
        `Other frames than ${isUsual ? '70 × 30 cm' : `those of ${area} m²`}, photos taken at a slant, crops, lawns, bare ground, pastures or seasons unlike ` +
          'those above: `sward predict` marks photos that are farther from the training photos than these are from one ' +
          'another, and does not mark all that it should.',
        'Nothing that harms people or animals when it is wrong. Cut and weigh a few quadrats of your own, and ' +
          '`sward train` on them.',
      ]),
    ],
    [
      'Licence',
      [`${markdownText(about.licence)}. ${markdownText(about.attribution)}`, backbones(manifest)]
        .filter(Boolean)
        .join('\n\n'),
    ],
    [
      'Where it comes from',
      list([
        `sward ${sward}, recipe ${markdownText(recipe.name)}, seed ${manifest.seed}; \`run.json\` has every setting`,
        `Data fingerprint (SHA-256): \`${data.fingerprint}\``,
        `Run fingerprint (SHA-256): \`${manifest.fingerprint}\``,
      ]),
    ],
  ];
  return [`# ${markdownText(about.what)}`, ...sections.map(([heading, body]) => `## ${heading}\n\n${body}`)]
    .join('\n\n')
    .concat('\n');
}

/** What was measured beside the photos, from where to where. */
const covariateSentence = (covariate: RunCovariate): string =>
  `Measured beside ${covariate.photos} photos: ${covariateWords(covariate)}, ${Number(covariate.low.toPrecision(3))} to ` +
  `${Number(covariate.high.toPrecision(3))}; it is read where it is given`;

type Scored = Pick<CaseResults, 'rows' | 'outOfFold' | 'leaveOneStateOut'>;

const scoreSentence = ({ outOfFold, leaveOneStateOut }: Scored): string =>
  `Weighted R² ${outOfFold.weightedR2.toFixed(3)}` +
  (leaveOneStateOut
    ? `; with one State held out at a time ${leaveOneStateOut.pooled.weightedR2.toFixed(3)}.`
    : '.');

function scoreRowsTable({ rows, outOfFold }: Scored): string {
  return table(
    ['', 'R²', 'RMSE g', 'MAE g', 'bias g', `share within its ${100 * USUAL_COVERAGE} % interval`],
    TARGET_NAMES.flatMap((name, target) => {
      const { r2, rmse, mae, bias, photos } = outOfFold.perTarget[name];
      if (photos === 0) return [];
      const covered = nestedCoverage(calibrationRows(rows, target), [USUAL_COVERAGE])?.[0]?.single.photos;
      return [
        [
          name,
          r2.toFixed(2),
          rmse.toFixed(1),
          mae.toFixed(1),
          bias.toFixed(1),
          covered === undefined ? '–' : `${(100 * covered).toFixed(0)} %`,
        ],
      ];
    }),
  );
}

/** What the run predicts, in words. */
function predictedOf(rows: readonly OutOfFoldRow[]): string {
  const learnt = learntColumns(rows);
  if (learnt.length === TARGET_COLUMNS.length) {
    return 'Green, dead and clover dry matter, green dry matter (GDM) and the total';
  }
  return `Dry matter (${massWords(learnt.map(({ key }) => key))} alone)`;
}

function backbones({ data: { sets } }: TrainedManifest): string {
  const used = sets.flatMap(({ weights }) => (weights ? [weights.source] : []));
  return used.length > 0 ? `It needs the backbone ${used.join(', ')}, which has a licence of its own.` : '';
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

type Text = (row: OutOfFoldRow) => string | null;

function distinct(rows: readonly OutOfFoldRow[], text: Text): string[] {
  return [...new Set(rows.flatMap((row) => text(row) ?? []))].sort();
}

const countOf = (rows: readonly OutOfFoldRow[], text: Text): number => distinct(rows, text).length;

const listOf = (rows: readonly OutOfFoldRow[], text: Text): string =>
  distinct(rows, text)
    .map((name) => markdownText(name.replaceAll('_', ' ')))
    .join(', ') || 'not said';

function datesOf(rows: readonly OutOfFoldRow[]): string {
  const dates = distinct(rows, ({ date }) => date);
  return dates.length === 0 ? 'dates unknown' : `${dates[0]} to ${dates.at(-1)}`;
}

/** The smallest and the largest total, times a factor. */
function rangeOf(rows: readonly OutOfFoldRow[], factor: number): string {
  const totals = rows.map(({ observed }) => observed.total * factor).filter(Number.isFinite);
  return `${Math.min(...totals).toFixed(0)} to ${Math.max(...totals).toFixed(0)}`;
}

const range = (rows: readonly OutOfFoldRow[]): string => rangeOf(rows, 1);
