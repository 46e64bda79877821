import { basename } from 'node:path';
import { TARGET_NAMES, type TargetName } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import type { RunCovariate } from '../runs/covariates.ts';
import { frameAreaOf } from '../runs/manifest.ts';
import type { ScoreJson } from '../runs/scores.ts';
import type { Precision } from '../vision/features/index.ts';
import { type ViewCut, type ViewPlan, viewBoxes } from '../vision/preprocess/views.ts';
import type { WindowGrid } from '../vision/preprocess/windows.ts';
import { LICENCE_NOTES, originOf, type ResolvedWeights } from '../vision/weights/index.ts';
import type { KnownBranch } from './branches.ts';
import { COVARIATES_NAME, modelInput, OUTPUT_NAME } from './mass-model.ts';
import type { ModelInput } from './model-input.ts';
import type { RunModel } from './run-model.ts';

/** A file by content. */
export interface FileFacts {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What the model takes or gives. Lengths that are open have a name. */
interface ValueFacts {
  readonly name: string;
  readonly dtype: 'uint8' | 'float32';
  readonly shape: readonly (number | string)[];
  /** What the numbers are. */
  readonly values: string;
}

/** How a photo is cut; the order is that of the views. */
type CutFacts =
  | {
      readonly views: Exclude<ViewPlan, 'windows'>;
      /** As fractions of width and height. */
      readonly boxes: readonly {
        readonly left: number;
        readonly top: number;
        readonly right: number;
        readonly bottom: number;
      }[];
    }
  /** Which fractions windows are depends on the photo: see `windowBoxes`. */
  | { readonly views: 'windows'; readonly windows: WindowGrid };

/** One backbone of a model, and what happens to a photo before it; the model does all of it after its input. */
export type BranchFacts = CutFacts & {
  readonly size: number;
  readonly interpolation: string;
  /** Pixels become (value / 255 − mean) / std; red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly precision: Precision;
  readonly backbone: {
    readonly source: string;
    readonly sha256: string;
    readonly arch: string;
    /** Whether the weights were trained further; they are as published otherwise. */
    readonly trained: boolean;
    readonly licence: string;
    readonly licence_note: string;
  };
};

/** A column of the covariates. */
type CovariateFacts = Pick<RunCovariate, 'name' | 'unit' | 'method' | 'low' | 'high'>;

/** A trained run in the model. */
export interface MemberFacts {
  readonly recipe: string;
  readonly run_fingerprint: string;
  readonly folds: number;
  /** Its weight for every target, as `targets`. */
  readonly weights: readonly number[];
}

/** `model.json`: what a program needs to use the model beside it. */
export interface ExportFacts {
  readonly format: 1;
  readonly sward: string;
  readonly recipe: string;
  readonly run_fingerprint: string;
  readonly data_fingerprint: string;
  readonly training_photos: number;
  /** The model, then the file of its weights where that is another. */
  readonly files: readonly FileFacts[];
  readonly input: ValueFacts & { readonly name: ModelInput };
  /** A second input, of a model that reads what was measured beside photos. */
  readonly covariates?: ValueFacts & { readonly columns: readonly CovariateFacts[] };
  readonly output: ValueFacts;
  readonly targets: readonly TargetName[];
  readonly unit: 'g';
  readonly frame_area_m2: number;
  /** Multiply grams by this. */
  readonly kg_dm_per_ha_per_gram: number;
  readonly test_time_augmentation: string;
  /** Turns of every view that masses are averaged over. */
  readonly turns: readonly number[];
  readonly branches: readonly BranchFacts[];
  readonly members: readonly MemberFacts[];
  readonly scores: {
    readonly out_of_fold: ScoreJson;
    /** Pooled over States held out one at a time; null where that was not computed. */
    readonly leave_one_state_out: ScoreJson | null;
    /** Of photos with what was measured beside them; the others are of photos alone. */
    readonly with_covariates?: readonly {
      readonly covariates: readonly string[];
      readonly out_of_fold: ScoreJson;
    }[];
  };
}

/** What programs are told of one, and not of the photos it was measured beside. */
export const covariateFacts = ({ name, unit, method, low, high }: RunCovariate): CovariateFacts => ({
  name,
  unit,
  method,
  low,
  high,
});

/** What `model.json` says of the model and what it means, without the files. */
export function modelFacts({ model, branches, members, covariates, fingerprint }: RunModel) {
  const { data } = members[0].manifest;
  const area = frameAreaOf(members[0].manifest);
  return {
    run_fingerprint: fingerprint,
    data_fingerprint: data.fingerprint,
    training_photos: data.images,
    input: { name: model.input, ...modelInput(model), values: INPUT_VALUES[model.input] },
    ...(model.covariates.length > 0 && {
      covariates: {
        name: COVARIATES_NAME,
        dtype: 'float32',
        shape: ['photos', model.covariates.length],
        values: 'measured beside the photo, as columns say; NaN where one was not measured',
        columns: covariates.map(covariateFacts),
      },
    }),
    output: {
      name: OUTPUT_NAME,
      dtype: 'float32',
      shape: ['photos', TARGET_NAMES.length],
      values: 'dry mass on the frame, grams, in the order of targets',
    },
    targets: TARGET_NAMES,
    unit: 'g',
    frame_area_m2: area,
    kg_dm_per_ha_per_gram: gramsToKilogramsPerHectare(1, area),
    turns: model.turns,
    branches: branches.map(branchFacts),
    members: members.map(({ manifest, weights }) => ({
      recipe: manifest.recipe.name,
      run_fingerprint: manifest.fingerprint,
      folds: manifest.folds.count,
      weights,
    })),
  } as const satisfies Partial<ExportFacts>;
}

const INPUT_VALUES: Readonly<Record<ModelInput, string>> = {
  photos: 'RGB, 0 to 255, rows from the top left, EXIF orientation applied',
  views: 'RGB planes, 0 to 255, cut and resized, not normalised',
};

function branchFacts({ branch, weights, trainedIn }: KnownBranch): BranchFacts {
  const { views, precision } = branch;
  const { plan, size, interpolation, mean, std } = views;
  return {
    ...cutFacts(plan),
    size,
    interpolation,
    mean,
    std,
    precision,
    backbone: {
      source: portableSource(weights.source),
      sha256: weights.sha256,
      arch: weights.arch,
      trained: trainedIn !== null,
      ...licenceOf(weights),
    },
  };
}

function cutFacts(cut: ViewCut): CutFacts {
  if (typeof cut === 'object') return { views: 'windows', windows: cut };
  // Of a square of side 4, in which halves of halves are whole.
  const boxes = viewBoxes(cut, 4, 4).map(({ left, top, right, bottom }) => ({
    left: left / 4,
    top: top / 4,
    right: right / 4,
    bottom: bottom / 4,
  }));
  return { views: cut, boxes };
}

/** Where weights come from, without the folders of whoever exports. */
const portableSource = (source: string): string =>
  source.startsWith('file ') ? `file ${basename(source.slice('file '.length))}` : source;

/** The licence of weights in a line: `bundled tf_efficientnet_lite2.in1k (Apache-2.0): free to use …`. */
export function licenceLine(weights: ResolvedWeights): string {
  const { licence, licence_note: note } = licenceOf(weights);
  return `${portableSource(weights.source)} (${licence}): ${note}`;
}

function licenceOf(weights: ResolvedWeights): Pick<BranchFacts['backbone'], 'licence' | 'licence_note'> {
  const { source, licence } = originOf(weights);
  const from = weights.origin ? `trained further from ${portableSource(source)}: ` : '';
  return licence
    ? { licence, licence_note: from + LICENCE_NOTES[licence] }
    : {
        licence: 'unknown',
        licence_note: `${from}that of ${portableSource(source)}; ask where it came from`,
      };
}
