import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { environment } from '../../ground/environment.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { packageVersion } from '../../ground/version.ts';
import { readText, reasonOf } from '../../ground/whole-file.ts';
import { isObjectLocation, openStore } from '../../storage/index.ts';
import type { Engine, PlannedJob } from '../jobs/planned-job.ts';
import { requireDone } from '../jobs/settle.ts';
import { kubernetesFiles } from './kubernetes.ts';
import { PLAN_TARGETS, type PlannedTasks, type PlanSettings, type PlanTarget } from './settings.ts';
import { slurmFiles } from './slurm.ts';

const FILES: Readonly<Record<PlanTarget, (tasks: PlannedTasks) => Record<string, string>>> = {
  slurm: slurmFiles,
  kubernetes: kubernetesFiles,
};

/** Most elements of an array where a cluster says nothing else (Slurm's MaxArraySize is 1001). */
const MOST_TASKS = 1000;

const PLAN = 'plan.json';
/** What the work is about, as it was found when it was planned. */
const LIST = 'files.jsonl';

const planSchema = z.strictObject({
  format: z.literal(1),
  sward: z.string(),
  target: z.enum(PLAN_TARGETS),
  /** Where the command was given, and its words. */
  folder: z.string(),
  command: z.array(z.string()).readonly(),
  store: z.string(),
  job: z.string(),
  units: z.int().min(0),
  /** Where the result goes, and whether it was written. */
  out: z.string(),
  gathered: z.literal(true).optional(),
});
/** What a plan's folder says of it. */
export type Plan = z.output<typeof planSchema>;

/** An engine that computes nothing: it writes into a folder what has others do so. */
export interface PlanEngine extends Engine {
  /** What was written last; null: nothing yet. */
  readonly written: { readonly plan: Plan; readonly files: readonly string[] } | null;
}

/**
 * @param out folder to write
 * @param command the command whose work it is, which {@link readPlan} gives back to gather it
 */
export function planEngine(
  target: PlanTarget,
  out: string,
  command: readonly string[],
  settings: PlanSettings,
): PlanEngine {
  let written: PlanEngine['written'] = null;
  return {
    plansAlone: true,
    get written() {
      return written;
    },
    async run({ jobs, title, units, out: result, listed }: PlannedJob) {
      if (target === 'kubernetes' && !isObjectLocation(jobs.store.location) && !settings.volume) {
        throw new UsageError(
          'pods see no folder of this machine: give --store s3://bucket/prefix, or --volume CLAIM:/path of a volume that ' +
            'the --store folder and all data lie on',
        );
      }
      const { objectStore, provider } = environment();
      const place = isObjectLocation(result) ? result : resolve(result);
      const files = FILES[target]({
        title,
        job: jobs.job,
        list: `${jobs.location}/list.json`,
        tasks: Math.min(units.length, MOST_TASKS),
        folder: process.cwd(),
        out: place,
        plan: resolve(out),
        settings,
        provider: provider === 'cpu' ? 'cuda' : provider,
        ...(objectStore && { objectStore }),
      });
      const plan: Plan = {
        format: 1,
        sward: packageVersion(),
        target,
        folder: process.cwd(),
        command,
        store: jobs.store.location,
        job: jobs.job,
        units: units.length,
        out: place,
      };
      const list = join(out, LIST);
      if (listed) await listed.copyTo(list);
      else await rm(list, { force: true });
      for (const [name, text] of Object.entries(files)) await writeFileAtomically(join(out, name), text);
      await writePlan(out, plan);
      written = { plan, files: Object.keys(files).map((name) => join(out, name)) };
    },
  };
}

const writePlan = (folder: string, plan: Plan): Promise<void> =>
  writeFileAtomically(join(folder, PLAN), `${JSON.stringify(plan, null, 2)}\n`);

/**
 * An engine that takes what is done of a plan, and refuses where something is missing.
 *
 * @param folder that {@link planEngine} wrote
 */
export function gatherEngine(folder: string, { target, job }: Plan): Engine {
  const place = resolve(folder);
  const compute =
    target === 'slurm' ? `bash ${place}/submit.sh` : `kubectl replace --force -f ${place}/job.yaml`;
  const remedy = `wait for tasks that still run, or mend the cause and have these computed: ${compute}; then gather again`;
  return {
    plansAlone: false,
    gathers: { job, listFile: join(place, LIST) },
    run: (planned) => requireDone(planned, new Map(), remedy),
  };
}

/** Whether the result of a plan was written, and is there. */
export async function isGathered({ gathered, out }: Plan): Promise<boolean> {
  if (!gathered) return false;
  if (!isObjectLocation(out)) return existsSync(out);
  for await (const _ of openStore(out).list('')) return true;
  return false;
}

/** Notes in a plan's folder that the result is written. */
export const noteGathered = (folder: string, plan: Plan): Promise<void> =>
  writePlan(folder, { ...plan, gathered: true });

/** What a folder that {@link planEngine} wrote says. @throws InputError when it is none */
export async function readPlan(folder: string): Promise<Plan> {
  const path = join(folder, PLAN);
  try {
    return planSchema.parse(JSON.parse(await readText(path)));
  } catch (error) {
    throw new InputError(path, `is no plan (${reasonOf(error)})`, 'name the folder that sward plan wrote');
  }
}
