import { capital } from '../ground/capital.ts';
import { markdownText } from '../ground/printable.ts';
import { caseWords } from '../pasture/covariates.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import { covariateWords } from '../runs/covariates.ts';
import type { BranchFacts, ExportFacts } from './model-facts.ts';

/** The card of an export (Mitchell et al. 2019), Markdown. */
export function modelCard(facts: ExportFacts): string {
  return [
    `# ${markdownText(facts.recipe)}: pasture biomass from a photo`,
    'Estimates the dry mass of green, dead and clover matter, of green dry matter (GDM = green + clover) and of all ' +
      `(GDM + dead) on a quadrat of ${facts.frame_area_m2} m², from one photo taken from above. Written by ` +
      `sward ${facts.sward} (\`sward export\`); \`model.json\` beside this file has the same facts for programs.`,
    '## Use',
    useSection(facts),
    '## What is inside',
    stepsSection(facts),
    '## How good it is',
    scoreSection(facts),
    '## Intended use and limits',
    limitsSection(facts),
    '## Licences',
    licenceSection(facts),
    '## Where it comes from',
    list([
      `Run fingerprint (SHA-256 of recipe, seed, folds and data): \`${facts.run_fingerprint}\``,
      `Training data fingerprint (SHA-256): \`${facts.data_fingerprint}\`, ${facts.training_photos} photos`,
      ...facts.files.map(({ file, bytes, sha256 }) => `\`${file}\`: ${bytes} bytes, SHA-256 \`${sha256}\``),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n');

function useSection(facts: ExportFacts): string {
  const { input, covariates, branches, kg_dm_per_ha_per_gram: factor, frame_area_m2: area } = facts;
  const decoded = input.name === 'photos';
  return [
    'ONNX Runtime on any of its platforms, of a version with operator set 21 (1.18 and later); sward is not needed.',
    list([
      `Input \`${input.name}\`: ${input.dtype} [${input.shape.join(', ')}], ${input.values}. ` +
        (decoded
          ? 'Photos may have any size; those of one call have the same. Nothing else is to be done to them: the ' +
            'model cuts, resizes and normalises.'
          : 'Views must be cut and resized as said below; the model normalises.'),
      ...(covariates
        ? [
            `Input \`${covariates.name}\`: float32 [${covariates.shape.join(', ')}]: ${covariates.columns.map(columnText).join('; ')}. ` +
              'NaN where one was not measured: the photo is then answered alone, and never by a supposed value.',
          ]
        : []),
      `Output \`masses\`: float32 [photos, ${TARGET_NAMES.length}], grams on the frame: ${TARGET_NAMES.join(', ')}.`,
      `Grams × ${factor.toFixed(3)} = kg dry matter a hectare for the ${area} m² frame (grams × 10 / m² for others).`,
      ...(branches.some(({ precision }) => precision === 'int8')
        ? [
            'On x64 processors without VNNI set the session option `session.x64quantprecision` to `1`, or int8 ' +
              'products overflow.',
          ]
        : []),
    ]),
    ...(decoded ? [NODE_EXAMPLE, pythonExample(covariates?.columns.length ?? 0)] : []),
  ].join('\n\n');
}

/** What a column of the covariates holds. */
function columnText({
  name,
  unit,
  method,
  low,
  high,
}: NonNullable<ExportFacts['covariates']>['columns'][number]): string {
  return `${covariateWords({ name, unit, method })}, trained on ${low} to ${high}`;
}

const NODE_EXAMPLE = '```sh\nnpm install sharp onnxruntime-node\nnode run-model.mjs . photo.jpg\n```';

const pythonExample = (covariates: number): string => `\`\`\`python
import numpy, onnxruntime
from PIL import Image, ImageOps

pixels = numpy.asarray(ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB"))[None]
session = onnxruntime.InferenceSession("model.onnx")
${covariates > 0 ? `measured = numpy.full((1, ${covariates}), numpy.nan, "float32")\n` : ''}print(session.run(["masses"], {"photos": pixels${covariates > 0 ? ', "covariates": measured' : ''}})[0])
\`\`\``;

function stepsSection({ branches, members, turns, input, test_time_augmentation: tta }: ExportFacts): string {
  const turned =
    turns.length > 1
      ? [
          `every view is turned in ${turns.length} ways (test-time augmentation ${tta}), whose masses are averaged;`,
        ]
      : [];
  const several = branches.length > 1;
  return [
    ...branches.map((branch, index) =>
      [
        ...(several ? [`Backbone ${index + 1}:`] : []),
        branchSteps(branch, turned)
          .map((step, place) => `${place + 1}. ${step}`)
          .join('\n'),
      ].join('\n\n'),
    ),
    ...(input.name === 'views' ? ['The first two steps are the caller’s.'] : []),
    members
      .map(
        ({ recipe, folds, weights }) =>
          `${folds} models of the recipe ${markdownText(recipe)}, each trained without one fold of the photos, make masses of ` +
          `${several ? 'their' : 'the'} vectors; their mean is the answer${shareText(weights, members.length)}.`,
      )
      .join(' '),
    'No mass is negative, and sums agree with their parts.',
  ].join('\n\n');
}

function shareText(weights: readonly number[], members: number): string {
  if (members === 1) return '';
  const same = weights.every((weight) => weight === weights[0]);
  const shown = (same ? weights.slice(0, 1) : weights).map((weight) => weight.toFixed(3));
  return ` of this member, which counts ${shown.join(', ')}${same ? '' : ' (one weight a target)'}`;
}

const CUTS: Readonly<Record<Exclude<BranchFacts['views'], 'windows'>, string>> = {
  whole: 'taken whole',
  halves: 'cut into left and right half',
  tiles: 'cut into two halves of 2 × 2 tiles',
};

function cutText(branch: BranchFacts): string {
  if (branch.views !== 'windows') {
    return `${CUTS[branch.views]} (odd lengths: the second part is larger by a pixel)`;
  }
  const { side, across, down } = branch.windows;
  return (
    `cut into ${across * down} square windows: ${down} rows of ${across} along its longer side, each window ` +
    `${Number(side.toFixed(4))} of the shorter side rounded to whole pixels (longer where they would leave gaps), evenly ` +
    'spread from edge to edge, offsets rounded down'
  );
}

function branchSteps(branch: BranchFacts, turned: readonly string[]): string[] {
  const { size, interpolation, mean, std, backbone, precision } = branch;
  return [
    `the photo is ${cutText(branch)};`,
    `every view is resized to ${size} × ${size} by ${interpolation} interpolation with antialiasing, digit for digit as ` +
      'Pillow 13 does, proportions not kept;',
    ...turned,
    `pixels become (value / 255 − mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')} (red, green, blue);`,
    `the backbone ${backbone.arch} (${markdownText(backbone.source)}, SHA-256 \`${backbone.sha256}\`${backbone.trained ? ', trained further' : ''}, ` +
      `weights in ${precision}) makes a vector of each view.`,
  ];
}

function scoreSection({ scores }: ExportFacts): string {
  const { out_of_fold: pooled, leave_one_state_out: states, with_covariates: measured } = scores;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    row(['target', 'R²', 'RMSE g', 'MAE g', 'bias g']),
    row(['---', '---', '---', '---', '---']),
    ...TARGET_NAMES.map((name) => {
      const { r2, rmse, mae, bias } = pooled.per_target[name];
      return row([name, shown(r2, 3), shown(rmse, 2), shown(mae, 2), shown(bias, 2)]);
    }),
  ].join('\n');
  return [
    `Cross-validation on ${pooled.n_images} photos, each predicted by the model that was not trained on its fold: ` +
      `weighted R² ${shown(pooled.weighted_r2, 4)} (the competition’s metric).` +
      (states ? ` Trained without a State and validated on it: ${shown(states.weighted_r2, 4)}.` : '') +
      (measured ?? [])
        .map(
          ({ covariates, out_of_fold: own }) =>
            ` ${capital(caseWords(covariates))}: ${shown(own.weighted_r2, 4)} on ${own.n_images} photos.`,
        )
        .join(''),
    table,
    'These figures are of fold models one by one, in the recipe’s precision and without test-time augmentation; the ' +
      'exported model is their mean, as said above.',
  ].join('\n\n');
}

function limitsSection({ frame_area_m2: area, training_photos: photos }: ExportFacts): string {
  return list([
    `For photos of pasture taken from above that show the frame of ${area} m² as the ${photos} training photos do. Other ` +
      'cameras, heights, species, seasons and places are outside of what was measured above.',
    'An estimate for feed budgeting and research, not a measurement: look at the errors above before deciding by it.',
    'Only what a photo shows can be seen: tall, dense or lodged swards hide mass.',
    'It answers any picture, also one without grass.',
  ]);
}

function licenceSection({ branches: all }: ExportFacts): string {
  const backbones = new Map(all.map(({ backbone }) => [backbone.sha256, backbone]));
  return list([
    ...[...backbones.values()].map(
      ({ source, licence, licence_note: note }) =>
        `Backbone (${markdownText(source)}): ${markdownText(licence)}; ${markdownText(note)}.`,
    ),
    'What was trained on top is as free as the training photos and labels allow.',
  ]);
}

const shown = (value: number | null, digits: number): string =>
  value === null ? '–' : value.toFixed(digits);
