import { join, resolve } from 'node:path';
import { replaceFolder } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import type { StateAnswers } from '../../runs/cross-validation.ts';
import { completePlan } from '../../runs/fold-plan.ts';
import { seedFolder } from '../../runs/repeated-runs.ts';
import type { RunResults } from '../../runs/results.ts';
import { foldFolder, removeCheckpoint } from '../../runs/run-folder.ts';
import { movedSource } from '../../runs/training-data.ts';
import { weightFilesOf } from '../../vision/weights/index.ts';
import type { RepeatedResults } from '../../workflows/train/repeated-results.ts';
import { trainRepeatedly } from '../../workflows/train/repeated-training.ts';
import { type TrainedElsewhere, type TrainOptions, trainPart } from '../../workflows/train/train.ts';
import { type TrainingUnits, trainingUnits } from '../../workflows/train/training-unit.ts';
import { STATE } from '../units/answer.ts';
import { stageFiles } from '../units/inputs.ts';
import { GatheredElsewhere, type JobStore } from '../units/job-store.ts';
import { parseExactJson, type TrainWork, unitKey } from '../units/spec.ts';
import { changedFiles, keptList } from './kept-list.ts';
import { listOf } from './photos.ts';
import { type Cluster, type DraftUnit, type PlannedJob, planJob, storeOf } from './planned-job.ts';
import { clearAway, fetchResult, readResult, resultOf } from './results.ts';

/**
 * Trains a run as `trainRun` does, to the same files, with its folds, members and States computed elsewhere. What is done
 * of the same training already is gone on from.
 *
 * @returns null where the work is planned alone
 * @throws as `trainRun`, and SwardError naming units that failed
 */
export async function trainOn(options: TrainOptions, cluster: Cluster): Promise<RunResults | null> {
  return orAsWritten(
    options,
    async () => [await plannedPart(options, '')],
    async (parts) => {
      const job = await carriedOut(parts, options, cluster);
      if (!job) return null;
      const results = await trainPart(gathered(options, parts[0] as PlannedPart, job));
      await clearAway(job);
      return results;
    },
  );
}

/** Trains; where another command of the same work has written the very run meanwhile, with what that one says. */
async function orAsWritten<Results>(
  { out, progress = SILENT }: TrainOptions,
  plan: () => Promise<PlannedPart[]>,
  train: (parts: PlannedPart[]) => Promise<Results>,
): Promise<Results> {
  try {
    return await train(await plan());
  } catch (error) {
    if (!(error instanceof GatheredElsewhere)) throw error;
    const parts = await plan();
    if (parts.some(({ drafts }) => drafts.length > 0)) throw error;
    progress.line?.(`another command of the same work has written ${out}`);
    return train(parts);
  }
}

/** As {@link trainOn}, once a seed, all at the same time; see `trainRepeatedly`. @throws as there */
export async function trainRepeatedlyOn(
  options: TrainOptions,
  seeds: readonly number[],
  cluster: Cluster,
): Promise<RepeatedResults | null> {
  const outs = seeds.map((seed) => seedFolder(options.out, seed));
  const plan = async (): Promise<PlannedPart[]> => {
    const parts: PlannedPart[] = [];
    for (const [index, seed] of seeds.entries()) {
      const own = { ...options, out: outs[index] ?? '', plan: { ...options.plan, seed } };
      parts.push(await plannedPart(own, `seed ${seed} `));
    }
    return parts;
  };
  return orAsWritten(options, plan, async (parts) => {
    const job = await carriedOut(parts, options, cluster);
    if (!job) return null;
    const results = await trainRepeatedly(options, seeds, (own) =>
      trainPart(gathered(own, parts[outs.indexOf(own.out)] as PlannedPart, job)),
    );
    await clearAway(job);
    return results;
  });
}

/** A training with the units that it falls into. */
interface PlannedPart {
  readonly training: TrainingUnits;
  readonly drafts: readonly DraftUnit[];
}

async function plannedPart(options: TrainOptions, prefix: string): Promise<PlannedPart> {
  // What is read of photos on the way is read once more by whoever trains.
  const { progress: _, ...quiet } = options;
  const training = await trainingUnits({ ...quiet, plan: completePlan(options.plan) });
  return { training, drafts: draftsOf(training, prefix) };
}

function draftsOf({ source, recipe, plan, fingerprint, units }: TrainingUnits, prefix: string): DraftUnit[] {
  const { areaSquareMetres } = source;
  const { orFewer, ...rest } = plan;
  return units.map((part) => {
    const work: TrainWork = {
      kind: 'train',
      source: movedSource(source, (path) => resolve(path)) as TrainWork['source'],
      ...(areaSquareMetres !== undefined && { areaSquareMetres }),
      recipe,
      plan: {
        ...rest,
        ...(orFewer !== undefined && { orFewer }),
        folds: typeof plan.folds === 'string' ? resolve(plan.folds) : plan.folds,
      },
      fingerprint,
      part,
    };
    const name = 'state' in part ? `State ${part.state}` : memberName(part.fold, part.member);
    return { name: `${prefix}${name}`, key: unitKey([fingerprint, part]), work };
  });
}

const memberName = (fold: number, member: number | null): string =>
  `fold ${fold}${member === null ? '' : ` member ${member}`}`;

/** @returns null where the work is planned alone */
async function carriedOut(
  parts: readonly PlannedPart[],
  { out, progress = SILENT }: { readonly out: string; readonly progress?: Progress },
  cluster: Cluster,
): Promise<PlannedJob | null> {
  const location = storeOf(cluster, out);
  const drafts = parts.flatMap((part) => part.drafts);
  const name = parts[0]?.training.recipe.name ?? '';
  const files = [...new Set(parts.flatMap(({ training }) => training.files))];
  await using listed = cluster.engine.plansAlone
    ? await listOf(
        files.map((path) => ({ imageId: path, path })),
        '',
      )
    : await keptList(cluster.engine);
  const job = await planJob('train', `Training ${name}`, location, () => drafts, {
    tell: (line) => progress.line?.(line),
    out,
    listed,
    gathers: cluster.engine.gathers,
    changed: async () => listed && changedFiles(listed),
    stage: async (jobs) => {
      const weights = await Promise.all(
        [...new Set(parts.flatMap(({ training }) => training.weightFiles))].map(weightFilesOf),
      );
      return stageFiles(jobs, [...files, ...weights.flat()]);
    },
  });
  if (drafts.length > 0) await cluster.engine.run(job, progress);
  return cluster.engine.plansAlone ? null : job;
}

/** A training that takes what was trained elsewhere in place of training. */
function gathered(options: TrainOptions, { drafts }: PlannedPart, { jobs }: PlannedJob) {
  const elsewhere: TrainedElsewhere = {
    bring: (run, fold) => bring(jobs, drafts, run, fold),
    stateOut: (state) => stateAnswers(jobs, drafts, state),
  };
  return { ...options, resume: true, elsewhere };
}

/** Puts a fold's model into a run, or the states of its members, from which its training only has to join them. */
async function bring(jobs: JobStore, drafts: readonly DraftUnit[], run: string, fold: number): Promise<void> {
  await removeCheckpoint(run, fold);
  for (const { key, work } of drafts) {
    const part = (work as TrainWork).part;
    if ('state' in part || part.fold !== fold) continue;
    const { files } = await resultOf(jobs, key);
    if (part.member !== null) {
      for (const file of files) await fetchResult(jobs, file, join(run, file.name));
      continue;
    }
    await replaceFolder(foldFolder(run, fold), async (aside) => {
      for (const file of files) {
        await fetchResult(jobs, file, join(aside, file.name.slice(file.name.indexOf('/') + 1)));
      }
    });
  }
}

async function stateAnswers(
  jobs: JobStore,
  drafts: readonly DraftUnit[],
  state: number,
): Promise<StateAnswers> {
  const draft = drafts.find(({ work }) => {
    const { part } = work as TrainWork;
    return 'state' in part && part.state === state;
  });
  const { files } = await resultOf(jobs, draft?.key ?? '');
  const file = files.find(({ name }) => name === STATE);
  if (!file) throw new RangeError(`unit ${draft?.key} says nothing of State ${state}`);
  return parseExactJson(Buffer.from(await readResult(jobs, file)).toString()) as StateAnswers;
}
