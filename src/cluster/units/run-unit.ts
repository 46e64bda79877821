import { rm, stat } from 'node:fs/promises';
import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { ChildFailure, LimitedChild } from '../../ground/children/limited-child.ts';
import { environment } from '../../ground/environment.ts';
import { SwardError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { packageVersion } from '../../ground/version.ts';
import { ANSWER, type ChunkAnswer, type PhotoProblem } from './answer.ts';
import { countsOf, sumOfCounts } from './asked-counts.ts';
import { JobStore, type UnitResult } from './job-store.ts';
import { exactJson, type UnitPhoto, type UnitSpec, type Work } from './spec.ts';
import { clearStaged, unitsFolder } from './staged.ts';
import type { UnitNews, UnitOutcome, UnitTask } from './unit-task.ts';

/** How units are computed on this machine. */
export interface UnitMachine {
  /** Folder for what units keep while they work; default one of the cache. */
  readonly scratch?: string;
  /** Threads of a network's operators; default ONNX Runtime's choice. */
  readonly threads?: number;
}

/** JavaScript's share of a child's memory; the rest is tensors and pixels. */
const HEAP_SHARE = 0.5;

/** Processes that compute units, each kept for the next one, with the run that it has open. */
export class UnitChildren {
  readonly #machine: UnitMachine;
  readonly #idle: LimitedChild<UnitTask, UnitOutcome, UnitNews>[] = [];
  readonly #busy = new Set<LimitedChild<UnitTask, UnitOutcome, UnitNews>>();
  #isEnding = false;

  constructor(machine: UnitMachine = {}) {
    this.#machine = machine;
  }

  /** Whether children are ended because the work is to be left, so that it is not theirs that they died. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** The folder of what this process itself writes of a unit. */
  folderOf({ key }: UnitSpec, attempt: number): string {
    return join(this.#scratch, `${key}.${hostname()}-${process.pid}-${attempt}`);
  }

  get #scratch(): string {
    return this.#machine.scratch ?? unitsFolder();
  }

  /** @throws TaskRefused, or ChildFailure where the process ended over it */
  async run(spec: UnitSpec, attempt: number, onShare?: (share: number) => void): Promise<UnitOutcome> {
    if (this.#isEnding) throw new ChildFailure('is not begun any more');
    const { threads } = this.#machine;
    const mebibytes = Math.floor(totalmem() / 2 ** 20);
    const child =
      this.#idle.pop() ??
      new LimitedChild<UnitTask, UnitOutcome, UnitNews>(import.meta.url, 'unit-child', {
        heapMebibytes: Math.floor(mebibytes * HEAP_SHARE),
        residentMebibytes: mebibytes,
      });
    this.#busy.add(child);
    try {
      const machine = { ...environment(), ...(threads !== undefined && { threads }) };
      return await child.run(
        { spec, scratch: this.#scratch, attempt, machine },
        { onNews: ({ share }) => onShare?.(share) },
      );
    } finally {
      this.#busy.delete(child);
      if (child.isAlive) this.#idle.push(child);
    }
  }

  /** Removes what was fetched here for jobs that are done. */
  clearStaged(): Promise<void> {
    return clearStaged(this.#scratch);
  }

  /** Ends all processes, whatever they are doing. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#busy, ...this.#idle.splice(0)].map((child) => child.end()));
  }
}

/** What became of a unit: done now, or found done. */
export type UnitFate = 'done' | 'known';

/**
 * Computes a unit and publishes its result, once, whoever else tries.
 *
 * @throws Overtaken where another attempt came first
 * @throws SwardError where it cannot be done
 */
export async function runUnit(
  spec: UnitSpec,
  children: UnitChildren,
  onShare?: (share: number) => void,
): Promise<UnitFate> {
  const jobs = JobStore.of(spec);
  if (await jobs.result(spec.key)) return 'known';
  if (spec.sward !== packageVersion()) {
    throw new SwardError(
      `the work was planned by sward ${spec.sward}, and this machine has ${packageVersion()}; install the same on all`,
    );
  }
  const attempt = await jobs.claim(spec.key);
  const began = performance.now();
  const outcomes = await withoutPoison(spec, children, attempt, onShare);
  const files: UnitResult['files'][number][] = [];
  for (const [part, { folder, files: names }] of outcomes.entries()) {
    for (const name of names) {
      const path = join(folder, name);
      const sha256 = await fileFingerprint(path);
      await jobs.putObject(path, sha256);
      files.push({
        name: outcomes.length > 1 ? `${part}/${name}` : name,
        sha256,
        byteLength: (await stat(path)).size,
      });
    }
  }
  const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
  const { key, name } = spec;
  await jobs.publish({ key, name, attempt, host: hostname(), seconds, files });
  await jobs.forgetFailure(key);
  for (const { folder } of outcomes) await rm(folder, { recursive: true, force: true });
  return 'done';
}

/** With more photos in one chunk that end every process, it is the machine that is at fault. */
const MOST_POISON = 8;

/**
 * Computes a unit; where a photo ends the process that reads it, in halves, until that photo is found and left out.
 *
 * @returns outcomes of parts, in the order of their photos
 */
async function withoutPoison(
  spec: UnitSpec,
  children: UnitChildren,
  attempt: number,
  onShare?: (share: number) => void,
): Promise<UnitOutcome[]> {
  let poison = 0;
  const half = async (part: UnitSpec): Promise<UnitOutcome[]> => {
    try {
      return [await children.run(part, attempt, onShare)];
    } catch (error) {
      const photos = photosOf(part.work);
      if (!(error instanceof ChildFailure) || children.isEnding || photos.length === 0) throw error;
      const [only, another] = photos;
      if (only && another === undefined) {
        poison++;
        if (poison > MOST_POISON) {
          throw new SwardError(
            `${spec.name}: ${poison} photos end the process that reads them (${error.message}); has this machine enough memory?`,
          );
        }
        return [await poisoned(part, only, error)];
      }
      const middle = Math.ceil(photos.length / 2);
      const first = await half(withPhotos(part, photos.slice(0, middle), 0));
      return [...first, ...(await half(withPhotos(part, photos.slice(middle), 1)))];
    }
  };
  const poisoned = async (
    part: UnitSpec,
    { imageId, path }: UnitPhoto,
    error: Error,
  ): Promise<UnitOutcome> => {
    const folder = children.folderOf(part, attempt);
    const problems: PhotoProblem[] = [
      { imageId, photo: path, problem: `ends the process that reads it (${error.message})` },
    ];
    const empty = part.work.kind === 'predict' ? { predictions: [] } : { ids: [] };
    const answer: ChunkAnswer = { ...empty, problems };
    await writeFileAtomically(join(folder, ANSWER), exactJson(answer));
    return { folder, files: [ANSWER] };
  };
  return half(spec);
}

function photosOf(work: Work): readonly UnitPhoto[] {
  if (work.kind === 'features') return work.photos;
  return work.kind === 'predict' && 'photos' in work.asked ? work.asked.photos : [];
}

/** The same unit of some of its photos, with a folder of its own. */
function withPhotos(spec: UnitSpec, photos: readonly UnitPhoto[], half: 0 | 1): UnitSpec {
  const key = `${spec.key}${half}`;
  if (spec.work.kind === 'features') return { ...spec, key, work: { ...spec.work, photos } };
  if (spec.work.kind === 'train') return spec;
  const { dropout, ...work } = spec.work;
  const all = photosOf(spec.work);
  // Of the second half those of the first go before.
  const before = half === 0 ? [] : countsOf({ photos: all.slice(0, all.length - photos.length) });
  return {
    ...spec,
    key,
    work: {
      ...work,
      asked: { photos },
      ...(dropout && { dropout: { ...dropout, first: sumOfCounts(dropout.first, before) } }),
    },
  };
}
