import { basename } from 'node:path';
import { byMass, type MassName, underTargetNames } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import { type PhotoPrediction, spreadOf } from '../../runs/prediction.ts';

/** What results call a photo, by where it lies. */
export type ShownPaths = ReadonlyMap<string, string>;

/** What a file of predictions tells besides the masses. */
export interface PredictionFileOptions {
  /** Frame that the grams stand on. */
  readonly areaSquareMetres: number;
  /** What photos are called; one of which nothing is said by its file's name. */
  readonly shownPaths?: ShownPaths;
  /** Coverage of the intervals, where predictions have them. */
  readonly coverage?: number;
  /** Whether a CSV has columns for how much the fold models differ and how unlike the training photos a photo is. */
  readonly uncertainty?: boolean;
  /** Whether a CSV has a column for the spread with dropout left on. */
  readonly dropout?: boolean;
  /** Whether it says which covariates were read of a photo. */
  readonly covariates?: boolean;
  /** Whether a CSV has a column for what of each photo counted. */
  readonly framing?: boolean;
}

/** A prediction as JSON has it. */
export function predictionRecord(
  prediction: PhotoPrediction,
  { areaSquareMetres, shownPaths, coverage, uncertainty }: PredictionFileOptions,
): Record<string, unknown> {
  const { imageId, path, targets, folds, dropoutSpread, intervals, outOfDomain, trainedOn } = prediction;
  const { covariates, outside = [], refused, framing } = prediction;
  const perHectare = (mass: MassName): number => gramsToKilogramsPerHectare(targets[mass], areaSquareMetres);
  return {
    image_id: imageId,
    ...(path !== null && { photo: shownPaths?.get(path) ?? basename(path) }),
    grams: underTargetNames(targets),
    kg_dm_per_ha: underTargetNames(byMass(perHectare)),
    ...(intervals && {
      coverage: coverage ?? null,
      low: underTargetNames(byMass((mass) => intervals[mass].low)),
      high: underTargetNames(byMass((mass) => intervals[mass].high)),
    }),
    ...(uncertainty && { fold_spread: underTargetNames(spreadOf(folds)) }),
    ...(dropoutSpread && { dropout_spread: underTargetNames(dropoutSpread) }),
    ...(outOfDomain !== null && { out_of_domain: outOfDomain }),
    ...(trainedOn !== null && { trained_on: trainedOn }),
    ...(covariates && { covariates }),
    ...(outside.length > 0 && { outside }),
    ...(refused !== undefined && { refused }),
    ...(framing && { framing }),
  };
}
