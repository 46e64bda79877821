import { join, resolve } from 'node:path';
import { replaceFolder } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import type { StateAnswers } from '../../runs/cross-validation.ts';
import { completePlan } from '../../runs/fold-plan.ts';
import { seedFolder } from '../../runs/repeated-runs.ts';
import type { RunResults } from '../../runs/results.ts';
import { BeingWritten, foldFolder, removeCheckpoint, untilFree } from '../../runs/run-folder.ts';
import { movedSource } from '../../runs/training-data.ts';
import { openStore } from '../../storage/index.ts';
import { weightFilesOf } from '../../vision/weights/index.ts';
import type { RepeatedResults } from '../../workflows/train/repeated-results.ts';
import { trainRepeatedly } from '../../workflows/train/repeated-training.ts';
import { type TrainedElsewhere, type TrainOptions, trainPart } from '../../workflows/train/train.ts';
import { type TrainingUnits, trainingUnits } from '../../workflows/train/training-unit.ts';
import { STATE } from '../units/answer.ts';
import { GatheredElsewhere, JobStore } from '../units/job-store.ts';
import { parseExactJson, type TrainWork, unitKey } from '../units/spec.ts';
import { stageFiles } from '../units/staged.ts';
import { changedFiles, keptList } from './kept-list.ts';
import { listOf } from './photos.ts';
import { type Cluster, type DraftUnit, jobNameOf, type PlannedJob, planJob, storeOf } from './planned-job.ts';
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
    async (own) => [await plannedPart(own, '')],
    async (parts, own) => {
      const job = await carriedOut(parts, own, cluster);
      if (!job) return null;
      const results = await trainPart(gathered(own, parts[0] as PlannedPart, job));
      await clearAway(job);
      return results;
    },
  );
}

/**
 * Trains. Where another command of the same work writes the very run, that one is waited for, and what it has written is
 * the result.
 */
async function orAsWritten<Results>(
  options: TrainOptions,
  plan: (own: TrainOptions) => Promise<PlannedPart[]>,
  train: (parts: PlannedPart[], own: TrainOptions) => Promise<Results>,
): Promise<Results> {
  const { out, progress = SILENT } = options;
  // What the other has written stays, whatever else may be replaced.
  const again = { ...options, overwrite: false };
  let missed: unknown = null;
  let awaited = '';
  for (let own: TrainOptions = options; ; own = again) {
    try {
      const parts = await plan(own);
      const isWritten = own === again && (await allFinished(parts));
      if (missed !== null && !isWritten) throw missed;
      if (isWritten) progress.line?.(`another command of the same work has written ${out}`);
      return await train(parts, own);
    } catch (error) {
      if (error instanceof BeingWritten && error.isSameWork) {
        if (awaited !== error.folder) {
          progress.line?.(`another command of the same work writes ${error.folder}; waiting for it`);
        }
        awaited = error.folder;
        await untilFree(error.folder);
      } else if (error instanceof GatheredElsewhere && missed === null) missed = error;
      else throw error;
    }
  }
}

async function allFinished(parts: readonly PlannedPart[]): Promise<boolean> {
  for (const { training } of parts) if (!(await training.isFinished())) return false;
  return true;
}

/** As {@link trainOn}, once a seed, all at the same time; see `trainRepeatedly`. @throws as there */
export async function trainRepeatedlyOn(
  options: TrainOptions,
  seeds: readonly number[],
  cluster: Cluster,
): Promise<RepeatedResults | null> {
  const outs = seeds.map((seed) => seedFolder(options.out, seed));
  const plan = async (given: TrainOptions): Promise<PlannedPart[]> => {
    const parts: PlannedPart[] = [];
    for (const [index, seed] of seeds.entries()) {
      const own = { ...given, out: outs[index] ?? '', plan: { ...options.plan, seed } };
      parts.push(await plannedPart(own, `seed ${seed} `));
    }
    return parts;
  };
  return orAsWritten(options, plan, async (parts, given) => {
    const job = await carriedOut(parts, given, cluster);
    if (!job) return null;
    const results = await trainRepeatedly(given, seeds, (own) =>
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
  const drafts = await draftsLeft(parts, location);
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
    keepsFirst: true,
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
  if (drafts.length === 0) return cluster.engine.plansAlone ? null : job;
  if (await allFinished(parts)) {
    // Another command has ended since it was looked, and what it took away has just been laid out again.
    await clearAway(job);
    throw new GatheredElsewhere(job.jobs);
  }
  await cluster.engine.run(job, progress);
  return cluster.engine.plansAlone ? null : job;
}

/**
 * The units of what has not finished; where a job of all is there, of which some parts have been gathered, those of that
 * job, so that it is gone on with.
 */
async function draftsLeft(parts: readonly PlannedPart[], location: string): Promise<readonly DraftUnit[]> {
  const all = parts.flatMap(({ drafts }) => drafts);
  const left: DraftUnit[] = [];
  for (const { training, drafts } of parts) if (!(await training.isFinished())) left.push(...drafts);
  if (left.length === 0 || left.length === all.length) return left;
  return (await new JobStore(openStore(location), jobNameOf('train', all)).isThere()) ? all : left;
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
