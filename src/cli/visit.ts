import { countOf } from '../ground/counts.ts';
import { setWords } from '../pasture/covariates.ts';
import { MASS_NAMES, underTargetNames } from '../pasture/targets.ts';
import {
  type Figure,
  namedRun,
  paddockTotal,
  type VisitMean,
  type VisitOutcome,
  visitRun,
  worthWords,
} from '../workflows/index.ts';
import { type AskedOptions, addAskedCovariates, askedCovariates } from './asked-covariates.ts';
import { type CommandRegistrar, positiveNumber, share } from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { shown, textTable } from './tables.ts';
import { addTableOptions, type TableOptions, tableReading } from './training-options.ts';

interface VisitCommandOptions extends AskedOptions, Omit<TableOptions, 'photos'> {
  readonly cuts?: string;
  readonly coverage?: number;
  readonly precision?: number;
  readonly hectares?: number;
  readonly json?: boolean;
}

/** `sward visit`: the mean of a paddock from one visit's photos, heights and cuts. */
export const registerVisit: CommandRegistrar = (program) => {
  const command = program
    .command('visit')
    .description("a paddock's mean from the photos of one visit, heights and cuts, and what more would bring")
    .argument('[RUN]', 'run folder, or a name of `sward models`; without it the starter')
    .argument('[PATH...]', 'photos and folders of photos of the visit')
    .option(
      '--cuts <TABLE>',
      'dry masses of frames that were photographed and cut (.csv, .xlsx), as in own data',
    )
    .option('--coverage <share>', 'share of visits within the interval; default 0.9', share('--coverage'))
    .option(
      '--precision <share>',
      'how near the mean is to be, as a share of it; default 0.1',
      share('--precision'),
    )
    .option('--hectares <ha>', 'size of the paddock: adds its total', positiveNumber('--hectares'))
    .option('--json', 'print the result as JSON');
  addAskedCovariates(addTableOptions(command)).action(
    async (first: string | undefined, further: string[], options: VisitCommandOptions) => {
      const named = await namedRun(first === undefined ? [] : [first, ...further]);
      const covariates = askedCovariates(options);
      const { coverage, precision, cuts, hectares } = options;
      const { columns, sheet, dates, decimal, area } = options;
      const outcome = await visitRun({
        photos: named.photos,
        ...(named.run !== null && { run: named.run }),
        ...(cuts !== undefined && { cuts }),
        reading: await tableReading({
          ...(columns !== undefined && { columns }),
          ...(sheet !== undefined && { sheet }),
          ...(dates && { dates }),
          ...(decimal && { decimal }),
          ...(area !== undefined && { area }),
        }),
        ...(covariates && { covariates }),
        ...(coverage !== undefined && { coverage }),
        ...(precision !== undefined && { precision }),
        progress: consoleProgress(),
      });
      for (const note of outcome.notes) say(`note: ${note}`);
      for (const doubt of outcome.doubts.slice(0, 10)) say(`warning: ${doubt}`);
      printResult(
        options.json,
        () => ({
          ...outcome,
          means: underTargetNames(outcome.means),
          ...(hectares !== undefined && totalRecord(outcome.means.total, hectares)),
        }),
        () => visitText(outcome, hectares),
      );
    },
  );
};

function visitText(
  { name, photos, cuts, covariates, means, worth, effort }: VisitOutcome,
  hectares?: number,
): string {
  const rows = MASS_NAMES.flatMap((mass) => {
    const visit = means[mass];
    if (!visit) return [];
    const { mean, interval } = visit;
    return [
      [mass, shown(mean, 0), shown(interval?.low ?? Number.NaN, 0), shown(interval?.high ?? Number.NaN, 0)],
    ];
  });
  const coverage = means.total?.interval?.coverage;
  const total = means.total;
  return [
    `${countOf(photos, 'photo')} by run ${name}${covariates.length > 0 ? ` with ${setWords(covariates)}` : ''}, ${countOf(cuts, 'cut')}:`,
    textTable(
      [
        'kg DM/ha',
        'mean',
        ...(coverage === undefined
          ? ['low', 'high']
          : [`low ${Number((100 * coverage).toPrecision(3))} %`, 'high']),
      ],
      rows,
    ),
    ...(total && hectares !== undefined ? [totalLine(total, hectares)] : []),
    ...worth
      // What does not show in whole kilograms is no help.
      .filter(({ before, after }) => shown(before, 0) !== shown(after, 0))
      .map(worthWords),
    ...(effort ? [effort.says] : []),
  ].join('\n');
}

/** A paddock's dry matter, kg; null where the total of the visit is not known. */
function totalRecord(total: VisitMean | null, hectares: number) {
  if (!total) return { hectares, total_kg: null };
  const { value, low, high } = totalOf(total, hectares);
  return { hectares, total_kg: { mean: value, ...(low !== undefined && { low, high }) } };
}

function totalLine(total: VisitMean, hectares: number): string {
  const { value, low, high } = totalOf(total, hectares);
  const ends = low === undefined || high === undefined ? '' : ` (${shown(low, 0)} to ${shown(high, 0)})`;
  return `${hectares} ha: ${shown(value, 0)} kg of dry matter${ends}`;
}

const totalOf = (total: VisitMean, hectares: number): Figure =>
  paddockTotal(total, { value: hectares, unit: 'ha', source: 'measured', from: ['--hectares'] });
