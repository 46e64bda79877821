import { join } from 'node:path';
import { featureSetsOf, joinFeatureSets, type Matrix, rowVector, takeColumns } from '../../ground/matrix.ts';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  fittedModel,
  type MetricLine,
  relabelled,
  rowEstimator,
} from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { progressWithin } from '../../learning/fit-progress.ts';
import { innerFolds, innerPredictions } from '../../learning/inner-folds.ts';
import { measuredItems } from '../../learning/session-weights.ts';
import type { Targets } from '../../pasture/targets.ts';
import { changedSplit, type TrainingRows, type TrainingSamples } from '../../samples/samples.ts';
import { gather } from '../../tensor/index.ts';
import { writeInner } from '../inner-model.ts';
import { type ColumnMember, type PlacedMember, placeMembers } from '../member-columns.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitMemberMean, type MemberMean, memberMean, memberMeanGraph } from './member-mean.ts';
import type { StackSettings } from './stack-settings.ts';

const KIND = 'stack';

/** Rows that are not there yet. */
const emptyMatrix = (columns: number): Matrix => ({ rows: 0, columns, data: new Float64Array() });

/** A trained member. */
export interface FittedMember extends Pick<PlacedMember, 'member' | 'columns'> {
  readonly model: FittedModel;
}

/**
 * Several estimators, each on its own feature sets, whose predictions are combined: averaged with the weights of
 * the settings, or by a combination fitted to what the members predict for training photos whose session was left
 * out (`fitMemberMean`): in closed form where a member has one, else in inner folds.
 *
 * @param estimatorOf the estimator of a member, its reduction and transform included
 */
export function stack<Member extends ColumnMember>(
  settings: StackSettings<Member>,
  estimatorOf: (member: Member) => Estimator,
): Estimator {
  const estimators = settings.members.map(estimatorOf);
  const estimatorAt = (member: number): Estimator => {
    const estimator = estimators[member];
    if (!estimator) throw new RangeError(`the stack has no member ${member}`);
    return estimator;
  };
  return rowEstimator({
    async requireData(train, sets) {
      const inputs = joinFeatureSets(sets.map((set) => ({ ...set, matrix: emptyMatrix(set.columns) })));
      for (const { member, columns } of placeMembers(settings.members, inputs)) {
        await estimatorAt(member).requireData(train, featureSetsOf(takeColumns(inputs, columns)));
      }
    },
    async fit(split, context) {
      const training = await split.train.rows();
      const placed = placeMembers(settings.members, training.inputs);
      const members: FittedMember[] = [];
      const unseen: Targets[][] = [];
      const stacking = context.random.fork('stacking');
      const folds =
        settings.combine === 'fitted' ? innerFolds(training, settings.innerFolds, stacking) : null;
      // A member is trained once on everything and, where it has no closed form, once for each inner fold.
      const trainings = folds ? 1 + new Set(folds.filter((fold) => fold >= 0)).size : 1;
      for (const [index, { member, columns, label }] of placed.entries()) {
        const estimator = estimatorAt(member);
        const seen = changedSplit(split, (samples) =>
          samples.withFeatures((all) => takeColumns(all, columns)),
        );
        const told = progressWithin(context, index / placed.length, (index + 1) / placed.length);
        const model = await estimator.fit(seen, {
          random: context.random.fork(`member ${index}`),
          record: (line) => context.record(relabelled(line, `${index} ${label}`)),
          ...progressWithin(told, 0, 1 / trainings),
        });
        members.push({ member, columns, model });
        if (folds) {
          const random = stacking.fork(`member ${index}`);
          const inner = { random, ...progressWithin(told, 1 / trainings, 1) };
          unseen.push(await sessionsLeftOut(model, estimator, seen.train, folds, inner));
        }
        told.onProgress?.(1);
      }
      return fitted(
        training.inputs.columns,
        members,
        folds
          ? fittedCombination(settings, placed, unseen, training, context)
          : plainCombination(settings, placed),
      );
    },
    async read(folder) {
      const { matrices, texts } = await readModelFile(folder, KIND, ['members', 'columns', 'spread']);
      const members: FittedMember[] = [];
      const weights: number[] = [];
      let start = 0;
      for (let index = 0; index < matrices.members.rows; index++) {
        const [member = 0, count = 0, weight = 0] = matrices.members.data.subarray(3 * index);
        const columns = [...matrices.columns.data.subarray(start, start + count)];
        start += count;
        const model = await estimatorAt(member).read(join(folder, `member-${index}`));
        members.push({ member, columns, model });
        weights.push(weight);
      }
      const { rows, data } = matrices.spread;
      const spread = rows === 0 ? null : { centre: [...data.subarray(0, 3)], factors: [...data.subarray(3)] };
      return fitted(Number(texts.width), members, { weights, spread });
    },
  });
}

/** The weights of the settings; of a combination that there is but one session to fit to, the plain mean. */
function plainCombination(
  { combine: kind }: Pick<StackSettings<ColumnMember>, 'combine'>,
  placed: readonly PlacedMember[],
): MemberMean {
  return { weights: placed.map(({ weight }) => (kind === 'fitted' ? 1 : weight)), spread: null };
}

/**
 * What a member predicts for photos whose session was left out. The closed form keeps the settings and principal
 * components of all training photos; nothing of the outer fold is in either.
 */
async function sessionsLeftOut(
  model: FittedModel,
  estimator: Estimator,
  train: TrainingSamples,
  folds: readonly number[],
  context: Pick<FitContext, 'random' | 'onProgress'>,
): Promise<Targets[]> {
  if (!model.capabilities.sessionsOut) {
    return [...(await innerPredictions(estimator, train, folds, context)).predicted];
  }
  const leftOut = model.leaveSessionsOut();
  return measuredItems(train.measured).map((photo) => leftOut[photo] as Targets);
}

/** A combination fitted to what members predict of sessions left out. */
function fittedCombination<Member extends ColumnMember>(
  settings: StackSettings<Member>,
  placed: readonly PlacedMember[],
  unseen: readonly (readonly Targets[])[],
  training: TrainingRows,
  context: FitContext,
): MemberMean {
  const photos = measuredItems(training.measured);
  const [targets, observed] = [training.targets, training.observed].map((masses) =>
    photos.map((photo) => masses[photo] as Targets),
  ) as [Targets[], Targets[]];
  const combination = fitMemberMean(unseen, targets, settings, observed);
  context.record(asLine(combination, placed));
  return combination;
}

function asLine({ weights, spread }: MemberMean, placed: readonly PlacedMember[]): MetricLine {
  const [green, dead, clover] = spread?.factors ?? [];
  return {
    ...Object.fromEntries(
      placed.map(({ label }, index) => [`weight ${index} ${label}`, weights[index] ?? 0]),
    ),
    ...(spread && { 'spread green': green ?? 1, 'spread dead': dead ?? 1, 'spread clover': clover ?? 1 }),
  };
}

function fitted(width: number, members: readonly FittedMember[], combination: MemberMean): FittedModel {
  const counting = members.filter((_, index) => combination.weights[index] !== 0);
  return fittedModel({
    async predict(samples) {
      requireWidth(await samples.features(), width);
      const predicted: Targets[][] = [];
      for (const { columns, model } of members) {
        predicted.push(await model.predict(samples.withFeatures((all) => takeColumns(all, columns))));
      }
      return memberMean(predicted, combination);
    },
    ...(counting.every(({ model }) => model.capabilities.graph) && {
      graph(under = '') {
        const graphs = members.map(({ model }, index) =>
          combination.weights[index] === 0 ? null : model.graph(`${under}${index}.`),
        );
        return {
          masses: (features, covariates) =>
            memberMeanGraph(
              members.map(
                ({ columns }, index) =>
                  graphs[index]?.masses(gather(features, columns, 1), covariates) ?? null,
              ),
              combination,
            ),
          viewFeatures: null,
        };
      },
    }),
    async write(folder) {
      const { weights, spread } = combination;
      const rows = members.map(({ member, columns }, index) => [member, columns.length, weights[index] ?? 0]);
      await writeModelFile(folder, KIND, {
        matrices: {
          members: { rows: members.length, columns: 3, data: Float64Array.from(rows.flat()) },
          columns: rowVector(Float64Array.from(members.flatMap(({ columns }) => columns))),
          spread: {
            rows: spread ? 2 : 0,
            columns: 3,
            data: Float64Array.from(spread ? [...spread.centre, ...spread.factors] : []),
          },
        },
        texts: { width: String(width) },
      });
      for (const [index, { model }] of members.entries()) await writeInner(model, folder, `member-${index}`);
    },
    async release() {
      for (const { model } of members) await model.release();
    },
  });
}
