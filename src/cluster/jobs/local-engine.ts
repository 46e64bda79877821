import { hostname } from 'node:os';
import { messageOf } from '../../ground/errors.ts';
import type { UnitFailure } from '../units/job-store.ts';
import { runUnit, UnitChildren, type UnitMachine } from '../units/run-unit.ts';
import type { Engine } from './planned-job.ts';
import { requireDone } from './settle.ts';

/** Computes units on this machine, one after another. */
export function localEngine(machine: UnitMachine = {}): Engine {
  return {
    plansAlone: false,
    async run(job, progress) {
      const { jobs, units, title } = job;
      const children = new UnitChildren(machine);
      const failures = new Map<string, UnitFailure>();
      progress.stage(title, units.length, 'units');
      try {
        for (const { key, name } of units) {
          try {
            const spec = await jobs.spec(key);
            if (spec) await runUnit(spec, children, (share) => progress.note?.(name, share));
            progress.advance(1, name);
          } catch (error) {
            failures.set(key, { name, host: hostname(), message: messageOf(error) });
            progress.line?.(`${name} failed: ${messageOf(error)}`);
          }
        }
      } finally {
        progress.done();
        await children.end();
      }
      await requireDone(job, failures);
    },
  };
}
