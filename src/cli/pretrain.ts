import { join } from 'node:path';
import { countOf } from '../ground/counts.ts';
import { parseChange } from '../ground/setting-change.ts';
import {
  LICENCE_NOTES,
  type MetricLine,
  type PretrainingManifest,
  pretrainBackbone,
} from '../workflows/index.ts';
import { type CommandRegistrar, collected, wholeNumber } from './command.ts';
import { printResult } from './console.ts';
import { consoleProgress } from './console-progress.ts';
import { shown, textTable } from './tables.ts';

interface PretrainCommandOptions {
  readonly backbone: string;
  readonly out: string;
  readonly set?: readonly string[];
  readonly seed: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** `sward pretrain`: trains a backbone further on another set of plant photos. */
export const registerPretrain: CommandRegistrar = (program) => {
  program
    .command('pretrain')
    .description('train a backbone further on other photos of plants')
    .argument('<PHOTOS>', 'folder with a sub-folder a class, or a CSV photo,column,… beside its photos')
    .requiredOption(
      '--backbone <NAME|FILE>',
      'name in the catalogue, organisation/name on the hub, or a file',
    )
    .requiredOption('--out <DIR>', 'folder to write the trained backbone into')
    .option('--set <a.b=value>', 'change a setting; may be repeated', collected)
    .option('--seed <n>', 'seed of held-out photos and training', wholeNumber('--seed'), 42)
    .option('--resume', 'go on with an unfinished pretraining of the same command')
    .option('--overwrite', 'replace the pretraining that is in the folder')
    .option('--json', 'print the result as JSON')
    .action(async (photos: string, options: PretrainCommandOptions) => {
      const { backbone, out, seed, set, json, resume = false, overwrite = false } = options;
      const progress = consoleProgress();
      const made = await pretrainBackbone({
        photos,
        backbone,
        out,
        settings: (set ?? []).map(parseChange),
        seed,
        resume,
        overwrite,
        progress,
      });
      printResult(
        json,
        () => ({
          out,
          backbone: join(out, made.result?.file ?? ''),
          sha256: made.result?.sha256 ?? null,
          licence: made.backbone.origin.licence,
          photos: made.photos.count,
          held_out: made.photos.held_out,
          kept: keptLine(made),
        }),
        () => summary(out, made),
      );
    });
};

function summary(out: string, made: PretrainingManifest): string {
  const file = join(out, made.result?.file ?? '');
  const { photos, backbone, curves } = made;
  const { epoch, ...kept } = keptLine(made);
  const { licence, source } = backbone.origin;
  const scores = Object.entries(kept).filter(([name]) => name.startsWith('validation'));
  return [
    `${backbone.name}, trained further on ${photos.count - photos.held_out} photos of ${labelsText(made)}`,
    ...(scores.length > 0
      ? [
          textTable(
            [`${photos.held_out} held-out photos, epoch ${epoch ?? '–'} of ${curves.length}`, ''],
            scores.map(([name, value]) => [name.replace('validation ', ''), shown(value, 3)]),
          ),
        ]
      : ['no photos were held out']),
    `weights: ${file}`,
    licence
      ? `licence: ${licence}, as ${source}; ${LICENCE_NOTES[licence]}`
      : `licence: that of ${source}; ask where it came from`,
    `use it: sward train DATA --recipe NAME --set backbone=${file}`,
    `report: ${join(out, 'report.html')}`,
  ].join('\n');
}

function labelsText({ photos: { labels } }: PretrainingManifest): string {
  if (labels.kind === 'classes') return `${labels.classes.length} classes`;
  const { columns, left_out } = labels;
  const without = left_out.columns.length > 0 ? ` (not ${left_out.columns.join(', ')})` : '';
  const skipped = left_out.photos > 0 ? `; ${countOf(left_out.photos, 'row')} without a number left out` : '';
  return `${columns.map(({ name }) => name).join(', ')}${without}${skipped}`;
}

/** The line of the epoch whose weights were kept. */
function keptLine({ curves, result }: PretrainingManifest): MetricLine {
  return curves.find(({ epoch }) => epoch === result?.epoch) ?? {};
}
