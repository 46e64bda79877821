import { Option } from 'commander';
import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import {
  COMBINATIONS,
  POOLINGS,
  type Pooling,
  PRECISIONS,
  type Precision,
  VIEW_PLANS,
  type ViewPlan,
  writeFeatureFiles,
} from '../workflows/index.ts';
import {
  addChunkOption,
  addClusterOptions,
  type ClusterOptions,
  clusterOf,
  orWrittenByAnother,
  problemLine,
} from './cluster-options.ts';
import { addOverwriteOption, type CommandRegistrar, wholeNumber } from './command.ts';
import { printResult, say } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { addCropOption, type CropOption } from './crop-option.ts';

/** Side, as written, and counts of windows. */
interface WindowList {
  readonly side: number | string;
  readonly across: number;
  readonly down: number;
}

interface FeaturesCommandOptions extends CropOption, ClusterOptions {
  readonly chunk?: number;
  readonly backbone: string;
  readonly out: string;
  readonly ids: string;
  readonly view: ViewPlan;
  readonly windows?: WindowList;
  readonly size?: number | string;
  readonly blocks?: (number | string)[];
  readonly pooling: Pooling;
  readonly combine: (typeof COMBINATIONS)[number];
  readonly grid: number;
  readonly precision: Precision;
  readonly split: 'train' | 'test';
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward features`: a frozen backbone's features of photos as `.npy`. */
export const registerFeatures: CommandRegistrar = (program) => {
  const command = program
    .command('features')
    .description('extract features of photos with a frozen backbone')
    .argument('<DATA>', 'data folder, folder of photos, or photo')
    .requiredOption(
      '--backbone <NAME|FILE>',
      'name in the catalogue, organisation/name on the hub, or a file',
    )
    .requiredOption('--out <F.npy>', 'float32 matrix to write, one row a photo')
    .requiredOption('--ids <ids.txt>', 'list of photo ids to write, one a row')
    .addOption(new Option('--view <plan>', 'how photos are cut').choices(VIEW_PLANS).default('halves'))
    .option(
      '--windows <side,across,down>',
      'of view windows: side as a share of the photo’s shorter side, how many along the longer and the shorter; ' +
        'default: 2/3,5,2',
      windowList,
    )
    .option(
      '--size <pixels>',
      'side of a view, ~512 for the nearest that fits; default: the weights’ own',
      side,
    )
    .option(
      '--blocks <list>',
      'blocks whose raw output is pooled, from 0 (17,23) or by depth (17/23,23/23); default: the last, normed',
      blockList,
    )
    .addOption(
      new Option(
        '--combine <how>',
        'average the tiles of a half, or all windows (mean), the halves too (all), or keep them',
      )
        .choices(COMBINATIONS)
        .default('mean'),
    )
    .option('--grid <n>', 'side of the map kept of each view by pooling patches', wholeNumber('--grid'), 8)
    .addOption(
      new Option('--pooling <kind>', 'how tokens become a vector').choices(POOLINGS).default('pooled'),
    )
    .addOption(
      new Option('--precision <type>', 'weights of linear layers').choices(PRECISIONS).default('fp32'),
    )
    .addOption(
      new Option('--split <which>', 'photos of a data folder').choices(['train', 'test']).default('train'),
    )
    .option('--json', 'print the result as JSON');
  addChunkOption(addClusterOptions(addCropOption(addOverwriteOption(command)))).action(
    async (data: string, options: FeaturesCommandOptions) => {
      const { view, windows, size = null, blocks = [], combine, grid, pooling, precision } = options;
      const { backbone, out, ids, split, crop = null } = options;
      const wanted = {
        data,
        backbone,
        plan: { view, windows, size, blocks, combine, grid, pooling, precision },
        out,
        ids,
        split,
        crop,
        overwrite: options.overwrite ?? false,
        progress: consoleProgress(),
      };
      const cluster = await clusterOf(options);
      if (cluster) {
        const { chunk } = options;
        const { featuresOn } = await import('../cluster/index.ts');
        const made = await orWrittenByAnother(options.out, () =>
          featuresOn({ ...wanted, ...(chunk !== undefined && { chunk }) }, cluster),
        );
        if (!made) return;
        if (made.problemsFile !== null) say(problemLine(made.problems, made.problemsFile));
        printResult(
          options.json,
          () => ({ out, ids, ...made }),
          () => `${out}: ${countOf(made.photos, 'photo')} × ${countOf(made.width, 'feature')}; ids in ${ids}`,
        );
        return;
      }
      const { framesLine, ...result } = await writeFeatureFiles(wanted);
      if (framesLine !== null) say(`warning: ${framesLine}`);
      printResult(
        options.json,
        () => ({ out, ids, ...result }),
        () =>
          `${out}: ${countOf(result.photos, 'photo')} × ${countOf(result.width, 'feature')}, ${result.computed} computed now; ids in ${ids}`,
      );
    },
  );
};

function side(text: string): number | string {
  return /^~[1-9]\d*$/.test(text) ? text : wholeNumber('--size')(text);
}

function windowList(text: string): WindowList {
  const [side = '', across = '', down = '', ...more] = text.split(',').map((part) => part.trim());
  const isSide = /^(\d+\/[1-9]\d*|\d*\.?\d+)$/.test(side);
  if (!isSide || more.length > 0 || ![across, down].every((count) => /^\d+$/.test(count))) {
    throw new UsageError(`--windows ${text}: give the side and two counts, as 2/3,5,2`);
  }
  return { side: side.includes('/') ? side : Number(side), across: Number(across), down: Number(down) };
}

function blockList(text: string): (number | string)[] {
  return text.split(',').map((part) => {
    const block = part.trim();
    if (/^\d+\/[1-9]\d*$/.test(block)) return block;
    if (/^\d+$/.test(block)) return Number(block);
    throw new UsageError(
      `--blocks ${text}: give block numbers from 0, or shares of the depth as 17/23, separated by commas`,
    );
  });
}
