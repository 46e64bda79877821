import { join } from 'node:path';
import { type Matrix, takeColumns } from '../../data/features.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { Estimator, FitContext, FittedModel, MetricLine, TrainingSet } from '../estimator.ts';
import { requireWidth } from '../feature-width.ts';
import { innerFolds, innerPredictions } from '../inner-folds.ts';
import { writeInner } from '../inner-model.ts';
import { readModelFile, rowVector, writeModelFile } from '../model-file.ts';
import { judgingPhotos } from '../session-weights.ts';
import { type Combination, combine, fitCombination } from './combination.ts';
import { type PlacedMember, placeMembers } from './member-columns.ts';
import { stackGraph } from './stack-graph.ts';
import type { StackMember, StackSettings } from './stack-settings.ts';

const KIND = 'stack';

/** A trained member. */
export interface FittedMember extends Pick<PlacedMember, 'member' | 'columns'> {
  readonly model: FittedModel<Matrix>;
}

/**
 * Several estimators, each on its own feature sets, whose predictions are combined: averaged with the weights of
 * the settings, or by a combination fitted to what the members predict for training photos whose session was left
 * out (`fitCombination`): in closed form where a member has one, else in inner folds.
 *
 * @param estimatorOf the estimator of a member, its reduction and transform included
 */
export function stack<Member extends StackMember>(
  settings: StackSettings<Member>,
  estimatorOf: (member: Member) => Estimator<Matrix>,
): Estimator<Matrix> {
  const estimators = settings.members.map(estimatorOf);
  const estimatorAt = (member: number): Estimator<Matrix> => {
    const estimator = estimators[member];
    if (!estimator) throw new RangeError(`the stack has no member ${member}`);
    return estimator;
  };
  return {
    async fit(training, context) {
      const placed = placeMembers(settings.members, training.inputs);
      const members: FittedMember[] = [];
      // Where the combination is fitted, most of the time goes into that, afterwards.
      const reached = settings.combine === 'fitted' ? undefined : context.reached;
      for (const [index, { member, columns, label }] of placed.entries()) {
        const model = await estimatorAt(member).fit(seenBy(columns, training), {
          random: context.random.fork(`member ${index}`),
          record: (line) => context.record(labelled(line, `${index} ${label}`)),
          ...(reached && { reached: (share) => reached((index + share) / placed.length) }),
        });
        members.push({ member, columns, model });
      }
      const combination =
        settings.combine === 'fitted'
          ? await nestedCombination(settings, placed, members, estimatorAt, training, context)
          : { weights: placed.map(({ weight }) => weight), spread: null };
      return fitted(training.inputs.columns, members, combination);
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
  };
}

/**
 * A combination from predictions of sessions left out; the plain mean where there is but one session. The closed form
 * keeps the settings and principal components of all training photos; nothing of the outer fold is in either.
 */
async function nestedCombination<Member extends StackMember>(
  settings: StackSettings<Member>,
  placed: readonly PlacedMember[],
  members: readonly FittedMember[],
  estimatorAt: (member: number) => Estimator<Matrix>,
  training: TrainingSet<Matrix>,
  context: FitContext,
): Promise<Combination> {
  const random = context.random.fork('stacking');
  const folds = innerFolds(training, settings.innerFolds, random);
  if (!folds) return { weights: placed.map(() => 1), spread: null };
  const photos = judgingPhotos(training);
  const predicted: (readonly Targets[])[] = [];
  for (const [index, { member, columns, model }] of members.entries()) {
    const leftOut = model.leaveSessionsOut?.();
    if (leftOut) {
      predicted.push(photos.map((photo) => leftOut[photo] as Targets));
      continue;
    }
    const inner = await innerPredictions(estimatorAt(member), seenBy(columns, training), folds, {
      random: random.fork(`member ${index}`),
    });
    predicted.push(inner.predicted);
  }
  const observed = photos.map((photo) => training.targets[photo] as Targets);
  const combination = fitCombination(predicted, observed, settings);
  context.record(asLine(combination, placed));
  return combination;
}

function asLine({ weights, spread }: Combination, placed: readonly PlacedMember[]): MetricLine {
  const [green, dead, clover] = spread?.factors ?? [];
  return {
    ...Object.fromEntries(
      placed.map(({ label }, index) => [`weight ${index} ${label}`, weights[index] ?? 0]),
    ),
    ...(spread && { 'spread green': green ?? 1, 'spread dead': dead ?? 1, 'spread clover': clover ?? 1 }),
  };
}

function seenBy(columns: readonly number[], training: TrainingSet<Matrix>): TrainingSet<Matrix> {
  const { validation } = training;
  return {
    ...training,
    inputs: takeColumns(training.inputs, columns),
    ...(validation && { validation: { ...validation, inputs: takeColumns(validation.inputs, columns) } }),
  };
}

/** A member's metric line; what lines are counted by keeps its name. */
function labelled(line: MetricLine, label: string): MetricLine {
  return Object.fromEntries(
    Object.entries(line).map(([key, value]) => [
      key === 'penalty' || key === 'epoch' ? key : `${key}, ${label}`,
      value,
    ]),
  );
}

function fitted(
  width: number,
  members: readonly FittedMember[],
  combination: Combination,
): FittedModel<Matrix> {
  const graph = stackGraph(members, combination);
  return {
    async predict(inputs) {
      requireWidth(inputs, width);
      const predicted: Targets[][] = [];
      for (const { columns, model } of members) {
        predicted.push(await model.predict(takeColumns(inputs, columns)));
      }
      return combine(predicted, combination);
    },
    ...(graph && { graph }),
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
  };
}
