import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { countOf } from '../../ground/counts.ts';
import { InputError, messageOf, SwardError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { isObjectLocation, storedObject } from '../../storage/index.ts';
import { JobStore, Overtaken, readPlanned } from './job-store.ts';
import { runUnit, UnitChildren, type UnitMachine } from './run-unit.ts';
import type { UnitSpec } from './spec.ts';

/** Which units this process is to compute. */
export interface UnitOptions extends UnitMachine {
  /** A unit's spec, or the `list.json` of a job, as a path or `s3://…`. */
  readonly spec: string;
  /** Of a list: this process is the `index`-th of `of`, which take units in turn; default all of them. */
  readonly index?: number;
  readonly of?: number;
  readonly progress?: Progress;
}

/** How many units were computed now, and how many were done before. */
export interface UnitsDone {
  readonly done: number;
  readonly known: number;
}

/**
 * Computes units, each in a process of its own, and publishes what is not published yet: whatever engine starts it, and
 * how often, the result is there once.
 *
 * @throws InputError for a spec that cannot be read
 * @throws SwardError naming units that failed, after the others
 */
export async function computeUnits(options: UnitOptions): Promise<UnitsDone> {
  const { index = 0, of = 1, progress = SILENT } = options;
  const specs = await specsOf(options.spec, index, of);
  const children = new UnitChildren(options);
  const fates = { done: 0, known: 0 };
  const failures: string[] = [];
  progress.stage('Computing', specs.length, 'units');
  try {
    for (const read of specs) {
      const spec = await read();
      try {
        fates[await runUnit(spec, children, (share) => progress.note?.(spec.name, share))]++;
      } catch (error) {
        const jobs = JobStore.of(spec);
        if (error instanceof Overtaken && (await jobs.result(spec.key))) fates.known++;
        else {
          const { name, key } = spec;
          const message = messageOf(error);
          failures.push(`${name}: ${message}`);
          await jobs.putFailure(key, { name, host: hostname(), message });
        }
      }
      progress.advance(1, spec.name);
    }
  } finally {
    progress.done();
    await children.end();
    await children.clearStaged();
  }
  if (failures.length === 0) return fates;
  throw new SwardError(
    `${countOf(failures.length, 'unit')} of ${specs.length} failed: ${failures.join('; ')}; mend the cause and start it again`,
  );
}

async function specsOf(where: string, index: number, of: number): Promise<(() => Promise<UnitSpec>)[]> {
  const { store, key } = storedObject(isObjectLocation(where) ? where : resolve(where));
  const bytes = await store.read(key);
  if (!bytes) throw new InputError(where, 'there is no such spec', 'name what sward plan has laid out');
  const planned = readPlanned(where, bytes);
  if ('work' in planned) return [async () => planned];
  const jobs = JobStore.of(planned);
  return planned.units
    .filter((_, place) => place % of === index)
    .map(({ key: unit, name }) => async () => {
      const spec = await jobs.spec(unit);
      if (spec) return spec;
      throw new InputError(`${jobs.location}/specs/${unit}.json`, `${name} is gone`, 'plan the work again');
    });
}
