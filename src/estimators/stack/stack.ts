import { join } from 'node:path';
import { type Matrix, rowVector, takeColumns } from '../../ground/matrix.ts';
import type {
  Estimator,
  FitContext,
  FittedModel,
  MetricLine,
  TrainingSet,
} from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { reachedWithin } from '../../learning/fit-progress.ts';
import { innerFolds, innerPredictions } from '../../learning/inner-folds.ts';
import { judgingPhotos } from '../../learning/session-weights.ts';
import type { Targets } from '../../pasture/targets.ts';
import { writeInner } from '../inner-model.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
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
      const unseen: Targets[][] = [];
      const stacking = context.random.fork('stacking');
      const folds =
        settings.combine === 'fitted' ? innerFolds(training, settings.innerFolds, stacking) : null;
      // A member is trained once on everything and, where it has no closed form, once for each inner fold.
      const trainings = folds ? 1 + new Set(folds.filter((fold) => fold >= 0)).size : 1;
      for (const [index, { member, columns, label }] of placed.entries()) {
        const estimator = estimatorAt(member);
        const seen = seenBy(columns, training);
        const told = reachedWithin(context, index / placed.length, (index + 1) / placed.length);
        const model = await estimator.fit(seen, {
          random: context.random.fork(`member ${index}`),
          record: (line) => context.record(labelled(line, `${index} ${label}`)),
          ...reachedWithin(told, 0, 1 / trainings),
        });
        members.push({ member, columns, model });
        if (folds) {
          const random = stacking.fork(`member ${index}`);
          const inner = { random, ...reachedWithin(told, 1 / trainings, 1) };
          unseen.push(await sessionsLeftOut(model, estimator, seen, folds, inner));
        }
        told.reached?.(1);
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
  };
}

/** The weights of the settings; of a combination that there is but one session to fit to, the plain mean. */
function plainCombination(
  { combine: kind }: Pick<StackSettings<StackMember>, 'combine'>,
  placed: readonly PlacedMember[],
): Combination {
  return { weights: placed.map(({ weight }) => (kind === 'fitted' ? 1 : weight)), spread: null };
}

/**
 * What a member predicts for photos whose session was left out. The closed form keeps the settings and principal
 * components of all training photos; nothing of the outer fold is in either.
 */
async function sessionsLeftOut(
  model: FittedModel<Matrix>,
  estimator: Estimator<Matrix>,
  training: TrainingSet<Matrix>,
  folds: readonly number[],
  context: Pick<FitContext, 'random' | 'reached'>,
): Promise<Targets[]> {
  const leftOut = model.leaveSessionsOut?.();
  if (leftOut) return judgingPhotos(training).map((photo) => leftOut[photo] as Targets);
  return [...(await innerPredictions(estimator, training, folds, context)).predicted];
}

/** A combination fitted to what members predict of sessions left out. */
function fittedCombination<Member extends StackMember>(
  settings: StackSettings<Member>,
  placed: readonly PlacedMember[],
  unseen: readonly (readonly Targets[])[],
  training: TrainingSet<Matrix>,
  context: FitContext,
): Combination {
  const observed = judgingPhotos(training).map((photo) => training.targets[photo] as Targets);
  const combination = fitCombination(unseen, observed, settings);
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
