import { join } from 'node:path';
import {
  featureSetsOf,
  joinFeatureSets,
  type Matrix,
  rowVector,
  takeColumns,
  takeSetColumns,
} from '../../ground/matrix.ts';
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
import {
  changedSplit,
  type Samples,
  type TrainingRows,
  type TrainingSamples,
} from '../../samples/samples.ts';
import { gather } from '../../tensor/index.ts';
import { writeInner } from '../inner-model.ts';
import { type PlacedMember, placeMembers } from '../member-columns.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitMemberMean, type MemberMean, memberMean, memberMeanGraph } from './member-mean.ts';
import type { StackMember, StackSettings } from './stack-settings.ts';

const KIND = 'stack';

/** Rows that are not there yet. */
const emptyMatrix = (columns: number): Matrix => ({ rows: 0, columns, data: new Float64Array() });

/** A trained member. */
export interface FittedMember extends Pick<PlacedMember, 'member' | 'columns'> {
  readonly model: FittedModel;
  /** Whether it reads covariates, where there are any. */
  readonly readsCovariates: boolean;
  /** Whether it is shown whose its columns are; of others they are one set. */
  readonly tellsSetsApart: boolean;
}

/** What a member is shown of all features. */
const shownColumns = (
  all: Matrix,
  { columns, tellsSetsApart }: Pick<FittedMember, 'columns' | 'tellsSetsApart'>,
): Matrix => (tellsSetsApart ? takeSetColumns(all, columns) : takeColumns(all, columns));

/** The list of members that a fitted stack is of, as its file has it; files of before there were two have none. */
type MemberList = 'members' | 'withCovariates';

/**
 * Several estimators, each on its own feature sets, whose predictions are combined: averaged with the weights of
 * the settings, or by a combination fitted to what the members predict for training photos whose session was left
 * out (`fitMemberMean`): in closed form where a member has one, else in inner folds. Where covariates are read, other
 * members may answer, some of them by the photo alone: what a height says is then held against what is seen.
 *
 * @param estimatorOf the estimator of a member, its reduction and transform included
 * @param tellsSetsApart whether a member's estimator reads feature sets by name; of others its columns are one set
 */
export function stack<Member extends StackMember>(
  settings: StackSettings<Member>,
  estimatorOf: (member: Member) => Estimator,
  tellsSetsApart: (member: Member) => boolean = () => false,
): Estimator {
  const lists: Readonly<Record<MemberList, readonly Member[]>> = {
    members: settings.members,
    withCovariates: settings.withCovariates?.members ?? settings.members,
  };
  const members = settings.members.map(estimatorOf);
  const estimators = {
    members,
    withCovariates: settings.withCovariates?.members.map(estimatorOf) ?? members,
  };
  const estimatorAt = (list: MemberList, member: number): Estimator => {
    const estimator = estimators[list][member];
    if (!estimator) throw new RangeError(`the stack has no member ${member}`);
    return estimator;
  };
  const listOf = ({ shown }: Samples): MemberList => (shown.length > 0 ? 'withCovariates' : 'members');
  const readsCovariates = (list: MemberList, member: number): boolean =>
    lists[list][member]?.covariates ?? true;
  const seesSets = (list: MemberList, index: number): boolean => {
    const member = lists[list][index];
    return member !== undefined && tellsSetsApart(member);
  };
  return rowEstimator({
    async requireData(train, sets) {
      const inputs = joinFeatureSets(sets.map((set) => ({ ...set, matrix: emptyMatrix(set.columns) })));
      const list = listOf(train);
      for (const { member, columns } of placeMembers(lists[list], inputs)) {
        const seen = readsCovariates(list, member) ? train : train.showing([]);
        const shown = shownColumns(inputs, { columns, tellsSetsApart: seesSets(list, member) });
        await estimatorAt(list, member).requireData(seen, featureSetsOf(shown));
      }
    },
    async fit(split, context) {
      const training = await split.train.rows();
      const list = listOf(split.train);
      const placed = placeMembers(lists[list], training.inputs);
      const members: FittedMember[] = [];
      const unseen: Targets[][] = [];
      const stacking = context.random.fork('stacking');
      const folds = settings.combine === 'mean' ? null : innerFolds(training, settings.innerFolds, stacking);
      // A member is trained once on everything and, where it has no closed form, once for each inner fold.
      const trainings = folds ? 1 + new Set(folds.filter((fold) => fold >= 0)).size : 1;
      for (const [index, { member, columns, label }] of placed.entries()) {
        const estimator = estimatorAt(list, member);
        const reads = readsCovariates(list, member);
        const apart = seesSets(list, member);
        const seen = changedSplit(split, (samples) => {
          const own = samples.withFeatures((all) => shownColumns(all, { columns, tellsSetsApart: apart }));
          return reads ? own : own.showing([]);
        });
        const told = progressWithin(context, index / placed.length, (index + 1) / placed.length);
        const model = await estimator.fit(seen, {
          random: context.random.fork(`member ${index}`),
          record: (line) => context.record(relabelled(line, `${index} ${label}`)),
          ...progressWithin(told, 0, 1 / trainings),
        });
        members.push({ member, columns, model, readsCovariates: reads, tellsSetsApart: apart });
        if (folds) {
          const random = stacking.fork(`member ${index}`);
          const inner = { random, ...progressWithin(told, 1 / trainings, 1) };
          unseen.push(await sessionsLeftOut(model, estimator, seen.train, folds, inner));
        }
        told.onProgress?.(1);
      }
      return fitted(
        training.inputs.columns,
        list,
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
      const list: MemberList = texts.list === 'withCovariates' ? 'withCovariates' : 'members';
      let start = 0;
      for (let index = 0; index < matrices.members.rows; index++) {
        const [member = 0, count = 0, weight = 0] = matrices.members.data.subarray(3 * index);
        const columns = [...matrices.columns.data.subarray(start, start + count)];
        start += count;
        const model = await estimatorAt(list, member).read(join(folder, `member-${index}`));
        members.push({
          member,
          columns,
          model,
          readsCovariates: readsCovariates(list, member),
          tellsSetsApart: seesSets(list, member),
        });
        weights.push(weight);
      }
      const { rows, data } = matrices.spread;
      const spread = rows === 0 ? null : { centre: [...data.subarray(0, 3)], factors: [...data.subarray(3)] };
      return fitted(Number(texts.width), list, members, { weights, spread });
    },
  });
}

/** The weights of the settings; of a combination that there is but one session to fit to, the plain mean. */
function plainCombination(
  { combine: kind }: Pick<StackSettings<StackMember>, 'combine'>,
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

/** A combination fitted to what members predict of sessions left out, or its spread alone. */
function fittedCombination<Member extends StackMember>(
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
  const given = settings.combine === 'stretched' ? placed.map(({ weight }) => weight) : null;
  const combination = fitMemberMean(unseen, targets, settings, observed, given);
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

function fitted(
  width: number,
  list: MemberList,
  members: readonly FittedMember[],
  combination: MemberMean,
): FittedModel {
  const counting = members.filter((_, index) => combination.weights[index] !== 0);
  return fittedModel({
    async predict(samples) {
      requireWidth(await samples.features(), width);
      const predicted: Targets[][] = [];
      for (const member of members) {
        const own = samples.withFeatures((all) => shownColumns(all, member));
        predicted.push(await member.model.predict(member.readsCovariates ? own : own.showing([])));
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
                ({ columns, readsCovariates }, index) =>
                  graphs[index]?.masses(
                    gather(features, columns, 1),
                    readsCovariates ? covariates : undefined,
                  ) ?? null,
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
        texts: { width: String(width), list },
      });
      for (const [index, { model }] of members.entries()) await writeInner(model, folder, `member-${index}`);
    },
    async release() {
      for (const { model } of members) await model.release();
    },
  });
}
