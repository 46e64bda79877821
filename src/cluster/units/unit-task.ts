import type { Environment } from '../../ground/environment.ts';
import type { UnitSpec } from './spec.ts';

/** What a process that computes units is given. */
export interface UnitTask {
  readonly spec: UnitSpec;
  /** Folder for what units keep while they work, one below it each. */
  readonly scratch: string;
  /** The attempt's fencing token. */
  readonly attempt: number;
  readonly machine: Environment;
}

/** What a unit came to: files of its folder. */
export interface UnitOutcome {
  readonly folder: string;
  readonly files: readonly string[];
}

/** How a unit goes. */
export interface UnitNews {
  /** Of it that is done, from 0 to 1. */
  readonly share: number;
}
