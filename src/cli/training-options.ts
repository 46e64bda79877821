import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../ground/errors.ts';
import { MASS_NAMES, type MassName } from '../pasture/targets.ts';
import {
  type CovariateSource,
  DATE_ORDERS,
  type DateOrder,
  DECIMAL_NAMES,
  DEFAULT_FOLD_PLAN,
  type DecimalName,
  type FoldPlan,
  GROUPINGS,
  type Grouping,
  HEIGHT_METHODS,
  type HeightMethod,
  namedSource,
  type OwnTable,
  readColumnMapping,
  STRATIFICATIONS,
  type Stratification,
  type TrainingSource,
} from '../workflows/index.ts';
import { frameArea, wholeNumber } from './command.ts';

/** Options by which a table of one's own is read. */
export interface TableOptions {
  readonly photos?: string;
  readonly columns?: string;
  readonly sheet?: string;
  readonly dates?: DateOrder;
  readonly decimal?: DecimalName;
  readonly area?: number;
}

/** Options by which training data are named, beside the data folder itself. */
export interface SourceOptions extends TableOptions {
  readonly features?: string;
  readonly ids?: string;
  readonly labels?: string;
  readonly learn?: readonly MassName[];
}

/** Options by which heights are read. */
export interface HeightOptions {
  readonly heightMethod?: HeightMethod;
  readonly heightPairs?: string;
}

/** Options by which what was measured beside photos is read. */
export interface CovariateOptions extends HeightOptions {
  readonly covariates?: string;
}

/** Options by which folds are made. */
export interface FoldOptions {
  readonly folds?: number | string;
  readonly seed: number;
  readonly group: Grouping;
  readonly stratify: Stratification;
}

/** Adds `--photos`, `--columns`, `--sheet`, `--dates`, `--decimal`, `--area`. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--photos <DIR>', "folder of a table's photos; default the table's own")
    .option(
      '--columns <role=column,…>',
      'what columns are, as total="Total DM (kg/ha)",photo=File, a unit as total:kg/ha=Total; or a file columns.yaml',
    )
    .option('--sheet <NAME>', 'sheet of an Excel workbook; default the first')
    .addOption(
      new Option('--dates <order>', 'day or month first, where dates are numbers').choices(DATE_ORDERS),
    )
    .addOption(
      new Option(
        '--decimal <sign>',
        'what stands before decimals, where 1,054 or 1.054 may be a thousand',
      ).choices(DECIMAL_NAMES),
    )
    .option('--area <m2>', 'area of the frame; default 0.21, that of 70 × 30 cm', frameArea);
}

/** Masses by their names, separated by commas. */
function massList(text: string): MassName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !MASS_NAMES.some((mass) => mass === name));
  if (unknown === undefined) return MASS_NAMES.filter((mass) => names.includes(mass));
  throw new InvalidArgumentError(`"${unknown}" is none of ${MASS_NAMES.join(', ')}.`);
}

/** Adds {@link addTableOptions} and `--features`, `--ids`, `--labels`, `--learn`. */
export function addSourceOptions(command: Command): Command {
  return addTableOptions(command)
    .option('--features <F.npy>', 'rows of feature files (F.npy,G.npy) instead of photos')
    .option('--ids <ids.txt>', 'photo id of each row of the feature file, one a line')
    .option('--labels <train.csv>', 'measured masses of those photos')
    .option(
      '--learn <total,green>',
      `masses to be learnt, of ${MASS_NAMES.join(', ')}; default all that were measured`,
      massList,
    );
}

/** Adds `--covariates` and {@link addHeightOptions}. */
export function addCovariateOptions(command: Command): Command {
  return addHeightOptions(
    command.option(
      '--covariates <TABLE>',
      'table (.csv, .xlsx) of heights and the like, rows named by photo file or sample id; default covariates.csv beside the photos',
    ),
  );
}

/** Adds `--height-method`, `--height-pairs`. */
export function addHeightOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--height-method <how>', 'how heights were measured, where the table does not say').choices(
        HEIGHT_METHODS,
      ),
    )
    .option(
      '--height-pairs <FILE>',
      'places measured both ways (a column each): converts heights by another method than the run reads',
    );
}

/** The covariates' sources that options name; undefined: none. */
export function covariateSource({
  covariates,
  heightMethod,
  heightPairs,
}: CovariateOptions): CovariateSource | undefined {
  const source: CovariateSource = {
    ...(covariates !== undefined && { table: covariates }),
    ...(heightMethod !== undefined && { method: heightMethod }),
    ...(heightPairs !== undefined && { pairs: heightPairs }),
  };
  return Object.keys(source).length > 0 ? source : undefined;
}

/** Adds `--folds`, `--seed`, `--group`, `--stratify`. */
export function addFoldOptions(command: Command): Command {
  return command
    .option(
      '--folds <K|folds.csv>',
      `number of folds, or a file of folds; default ${DEFAULT_FOLD_PLAN.folds}, or as many as there are groups`,
      foldCount,
    )
    .option('--seed <n>', 'seed of folds and training', wholeNumber('--seed'), DEFAULT_FOLD_PLAN.seed)
    .addOption(
      new Option('--group <what>', 'photos that must stay in one fold')
        .choices(GROUPINGS)
        .default(DEFAULT_FOLD_PLAN.grouping),
    )
    .addOption(
      new Option('--stratify <by>', 'what every fold gets its share of')
        .choices(STRATIFICATIONS)
        .default(DEFAULT_FOLD_PLAN.stratification),
    );
}

/**
 * The data folder or table of a path, read as options say.
 *
 * @throws UsageError for options of tables where it is a data folder
 */
export async function photoSource(path: string, options: TableOptions): Promise<TrainingSource> {
  const source = await namedSource(path);
  const { dates, areaSquareMetres, ...ofTables } = await tableReading(options);
  const shared = { ...(dates && { dates }), ...(areaSquareMetres !== undefined && { areaSquareMetres }) };
  if (source.kind === 'table') return { ...source, ...shared, ...ofTables };
  const [idle] = Object.keys(ofTables);
  if (idle === undefined) return { ...source, ...shared };
  throw new UsageError(`--${idle} is for a table of your own; ${path} is a data folder`);
}

/** What options say of how a table is read. */
export async function tableReading({
  photos,
  columns,
  sheet,
  dates,
  decimal,
  area,
}: TableOptions): Promise<Partial<OwnTable>> {
  return {
    ...(photos !== undefined && { photos }),
    ...(columns !== undefined && { columns: await readColumnMapping(columns) }),
    ...(sheet !== undefined && { sheet }),
    ...(dates && { dates }),
    ...(decimal && { decimal }),
    ...(area !== undefined && { areaSquareMetres: area }),
  };
}

/** @throws UsageError unless exactly a data folder, a table or the three feature options are given */
export async function trainingSource(
  path: string | undefined,
  options: SourceOptions,
): Promise<TrainingSource> {
  const { features, ids, labels, learn } = options;
  const masses = learn && { learn };
  const given = [features, ids, labels].filter((option) => option !== undefined).length;
  if (path !== undefined && given === 0) return { ...(await photoSource(path, options)), ...masses };
  if (path === undefined && features !== undefined && ids !== undefined && labels !== undefined) {
    const { dates, areaSquareMetres, ...ofTables } = await tableReading(options);
    const [idle] = Object.keys(ofTables);
    if (idle !== undefined) throw new UsageError(`--${idle} is for a table of your own, not for features`);
    const shared = { ...(dates && { dates }), ...(areaSquareMetres !== undefined && { areaSquareMetres }) };
    return { kind: 'features', features: features.split(','), ids, labels, ...shared, ...masses };
  }
  throw new UsageError('give a data folder or a table, or --features, --ids and --labels together');
}

/** The plan that fold options stand for. */
export function foldPlan({ folds, seed, group, stratify }: FoldOptions): Partial<FoldPlan> {
  return { ...(folds !== undefined && { folds }), seed, grouping: group, stratification: stratify };
}

function foldCount(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
