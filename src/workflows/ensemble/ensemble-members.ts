import { groupsOf } from '../../data/folds/index.ts';
import type { PipelineRows } from '../../estimators/combination/pipeline.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { realPlaceOf } from '../../ground/files.ts';
import { type CovariateSet, MOST_COVARIATES } from '../../pasture/covariates.ts';
import { isSameMass } from '../../pasture/partial.ts';
import { type Targets, targetsToArray } from '../../pasture/targets.ts';
import { covariateWords, type RunCovariate } from '../../runs/covariates.ts';
import { readTrainedManifest, type TrainedManifest } from '../../runs/manifest.ts';
import { trainedResults } from '../../runs/read-results.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { requireUnchanged } from '../../runs/run-folder.ts';
import { scoreRows } from '../../runs/scores.ts';
import { runHere } from '../../runs/stored-run.ts';

/** A finished run with its out-of-fold predictions. */
export interface EnsembleMember {
  /** As it was named: a folder, or `s3://…`. */
  readonly run: string;
  /** Where this machine reads it. */
  readonly folder: string;
  readonly manifest: TrainedManifest;
  readonly results: RunResults;
}

/** A member with what it says of photos by the covariates of one case. */
export interface CaseMember extends EnsembleMember {
  /** What it reads of the case; null: it has no covariates at all. */
  readonly covariates: CovariateSet | null;
  readonly rows: readonly OutOfFoldRow[];
  /** Weighted R² of them out of fold. */
  readonly weightedR2: number;
}

/** Members with their photos in one order. */
export interface AlignedMembers {
  /** What photos are answered by; none: by themselves alone. */
  readonly covariates: CovariateSet;
  readonly members: readonly CaseMember[];
  /** The photos, as the first member has them. */
  readonly photos: readonly OutOfFoldRow[];
  readonly rows: PipelineRows;
  /** What a photo's weights must be fitted without: its fold where all members have the same folds, else its session. */
  readonly parts: readonly number[];
  readonly nestedBy: 'fold' | 'session';
}

/**
 * Reads runs that are to be combined.
 *
 * @throws InputError when a run is unfinished or an ensemble itself
 * @throws UsageError when a run comes twice
 */
export async function readMembers(runs: readonly string[]): Promise<EnsembleMember[]> {
  const members: EnsembleMember[] = [];
  const places: string[] = [];
  for (const run of runs) {
    // One run may be given by several names.
    const folder = await runHere(run);
    const place = await realPlaceOf(folder);
    if (places.includes(place)) {
      throw new UsageError(`${run} is given twice`);
    }
    places.push(place);
    const manifest = await readTrainedManifest(folder);
    await requireUnchanged(folder, manifest);
    members.push({ run, folder, manifest, results: await trainedResults(folder, manifest) });
  }
  if (members.length === 0) throw new UsageError('name the runs to combine');
  return members;
}

/**
 * All covariates that members read, each measured in one way.
 *
 * @throws UsageError when they are too many, or members read heights measured in different ways
 */
export function sharedCovariates(members: readonly EnsembleMember[]): RunCovariate[] {
  const found = new Map<string, { readonly run: string; readonly covariate: RunCovariate }>();
  for (const { run, manifest } of members) {
    for (const covariate of manifest.data.covariates ?? []) {
      const known = found.get(covariate.name);
      if (known && known.covariate.method !== covariate.method) {
        throw new UsageError(
          `${known.run} reads ${covariateWords(known.covariate)} and ${run} ${covariateWords(covariate)}, which are not the ` +
            'same; combine runs that read one of them',
        );
      }
      if (!known) found.set(covariate.name, { run, covariate });
    }
  }
  if (found.size > MOST_COVARIATES) {
    throw new UsageError(
      `the runs read ${[...found.keys()].join(', ')}; combine runs that read at most ${MOST_COVARIATES} covariates`,
    );
  }
  return [...found.values()].map(({ covariate }) => covariate);
}

/** What a member says of photos by as much of a set of covariates as it reads. */
function caseMember(member: EnsembleMember, set: CovariateSet): CaseMember {
  const { cases, rows, outOfFold } = member.results;
  if (!cases) return { ...member, covariates: null, rows, weightedR2: outOfFold.weightedR2 };
  const known = cases.find(
    ({ covariates, rows: own }) => own.length > 0 && covariates.every((name) => set.includes(name)),
  );
  if (!known) throw new RangeError(`${member.run} says nothing of photos alone`);
  const { covariates, rows: own } = known;
  return { ...member, covariates, rows: own, weightedR2: known.outOfFold.weightedR2 };
}

/**
 * Puts the photos of members in one order, as each member answers them by a set of covariates.
 *
 * @returns null where no photo has all of the set, or those that do are of one fold
 * @throws InputError when runs have other photos or other measured masses, or when a run's folds split what another one
 *   keeps together: its predictions have then seen photos of the session they are scored on
 */
export function alignMembers(read: readonly EnsembleMember[], set: CovariateSet): AlignedMembers | null {
  const all = read.map((member) => caseMember(member, set));
  // Of a set every name must be read by some member, or a smaller one is the same.
  if (set.some((name) => !all.some(({ covariates }) => covariates?.includes(name)))) return null;
  const answered = all.map(({ rows }) => new Set(rows.map(({ imageId }) => imageId)));
  const members =
    set.length === 0
      ? all
      : all.map((member) => {
          const rows = member.rows.filter(({ imageId }) => answered.every((ids) => ids.has(imageId)));
          return { ...member, rows, weightedR2: rows.length > 0 ? scoreRows(rows).weightedR2 : Number.NaN };
        });
  const [first, ...others] = members;
  if (!first || first.rows.length === 0) return null;
  const photos = first.rows;
  const aligned = [photos, ...others.map((member) => alignRows(member, first))];
  const sessions = jointSessions(members, photos);
  members.forEach((member, index) => {
    requireWhole(
      member,
      (aligned[index] ?? []).map((row) => row.fold),
      sessions,
    );
  });
  const folds = aligned.map((rows) => rows.map((row) => row.fold));
  if (set.length > 0 && new Set(sessions).size < 3) return null;
  const sameFolds = folds.every((other) => samePartition(folds[0] ?? [], other));
  return {
    covariates: set,
    members,
    photos,
    rows: {
      members: aligned.map((rows) => rows.map((row) => row.predicted)),
      observed: photos.map((row) => row.observed),
      sessions,
      states: photos.map((row) => row.state),
    },
    parts: sameFolds ? (folds[0] ?? []) : numbered(sessions),
    nestedBy: sameFolds ? 'fold' : 'session',
  };
}

/** A member's rows in the order of the first member's. */
function alignRows({ run, rows }: CaseMember, first: CaseMember): OutOfFoldRow[] {
  const byId = new Map(rows.map((row) => [row.imageId, row]));
  const remedy = 'combine runs that were trained on the same photos and labels';
  if (!first.rows.some(({ imageId }) => byId.has(imageId))) {
    throw new InputError(run, `has no photo in common with ${first.run}`, remedy);
  }
  if (rows.length !== first.rows.length) {
    throw new InputError(run, `has ${rows.length} photos, but ${first.run} has ${first.rows.length}`, remedy);
  }
  return first.rows.map((photo) => {
    const row = byId.get(photo.imageId);
    if (!row) throw new InputError(run, `has no photo ${photo.imageId} of ${first.run}`, remedy);
    if (!sameMasses(row.observed, photo.observed)) {
      throw new InputError(run, `has other masses of ${photo.imageId} than ${first.run}`, remedy);
    }
    return row;
  });
}

function sameMasses(a: Targets, b: Targets): boolean {
  const other = targetsToArray(b);
  return targetsToArray(a).every((mass, target) => isSameMass(mass, other[target]));
}

/** Photos that any member keeps together, joined; each set is named by its first photo's group. */
function jointSessions(members: readonly EnsembleMember[], photos: readonly OutOfFoldRow[]): string[] {
  const groupings = [...new Set(members.map(({ manifest }) => manifest.folds.grouping))];
  const parent = photos.map((_, photo) => photo);
  const rootOf = (photo: number): number => {
    const above = parent[photo] ?? photo;
    return above === photo ? photo : rootOf(above);
  };
  const names = groupings.map((grouping) => groupsOf(photos, grouping));
  for (const groups of names) {
    const firstOf = new Map<string, number>();
    groups.forEach((group, photo) => {
      const first = firstOf.get(group) ?? photo;
      firstOf.set(group, first);
      const [a, b] = [rootOf(first), rootOf(photo)];
      parent[Math.max(a, b)] = Math.min(a, b);
    });
  }
  // With one grouping its own names serve; a union of several is called by what its first photo is in the first.
  return photos.map((_, photo) => names[0]?.[rootOf(photo)] ?? '');
}

function requireWhole({ run }: EnsembleMember, folds: readonly number[], sessions: readonly string[]): void {
  const foldOf = new Map<string, number>();
  sessions.forEach((session, photo) => {
    const fold = folds[photo] ?? 0;
    const other = foldOf.get(session) ?? fold;
    if (other !== fold) {
      throw new InputError(
        run,
        `has photos of the session ${session} in folds ${other} and ${fold}, so its predictions leak into a nested score`,
        'train all members with the same --group',
      );
    }
    foldOf.set(session, fold);
  });
}

/** Whether two numberings part the photos in the same way. */
function samePartition(a: readonly number[], b: readonly number[]): boolean {
  const forth = new Map<number, number>();
  const back = new Map<number, number>();
  return a.every((part, photo) => {
    const other = b[photo] ?? -1;
    if (!forth.has(part)) forth.set(part, other);
    if (!back.has(other)) back.set(other, part);
    return forth.get(part) === other && back.get(other) === part;
  });
}

/** Names as numbers in order of first appearance. */
function numbered(names: readonly string[]): number[] {
  const order = [...new Set(names)];
  return names.map((name) => order.indexOf(name));
}
