import type { ObjectStoreSettings } from '../../ground/environment.ts';

/** Engines that work is written down for. */
export const PLAN_TARGETS = ['slurm', 'kubernetes'] as const;
export type PlanTarget = (typeof PLAN_TARGETS)[number];

/** What a cluster is asked for a task. */
export interface PlanSettings {
  /** How sward is called on its machines, as words. */
  readonly program: readonly string[];
  readonly cpus: number;
  /** As Slurm or Kubernetes writes it: `8G`, `8Gi`. */
  readonly memory: string;
  readonly gpus: number;
  /** Most tasks at the same time. */
  readonly parallel?: number;
  /** Of Slurm: longest time of a task, and where it runs. */
  readonly time?: string;
  readonly partition?: string;
  /** Of Kubernetes. */
  readonly image?: string;
  /** Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
  readonly secret?: string;
  /** A claim of a volume, and where it is mounted. */
  readonly volume?: { readonly claim: string; readonly path: string };
}

/** What is to be written down. */
export interface PlannedTasks {
  readonly title: string;
  readonly job: string;
  /** Where the job's list of units is. */
  readonly list: string;
  /** Tasks that units are dealt out to, in turn. */
  readonly tasks: number;
  /** The folder that the command was given in. */
  readonly folder: string;
  /** Where the result goes. */
  readonly out: string;
  /** The plan's own folder. */
  readonly plan: string;
  readonly settings: PlanSettings;
  /** What runs frozen backbones where a task has a GPU. */
  readonly provider: string;
  readonly objectStore?: ObjectStoreSettings;
}
