import { InputError } from '../ground/errors.ts';
import { printable } from '../ground/printable.ts';

/** What kind of thing is wrong with a data folder; `sward check --json` lists these. */
type ProblemCode =
  | 'missing-file'
  | 'empty-file'
  | 'wrong-header'
  | 'malformed-csv'
  | 'malformed-id'
  | 'unknown-target'
  | 'duplicate-row'
  | 'missing-target'
  | 'not-a-number'
  | 'decimal-comma'
  | 'decimal-sign'
  | 'negative-mass'
  | 'broken-identity'
  | 'bad-date'
  | 'mixed-dates'
  | 'date-notation'
  | 'odd-date'
  | 'varied-spelling'
  | 'near-spelling'
  | 'outlier'
  | 'no-folds'
  | 'contradicting-row'
  | 'path-leaves-folder'
  | 'missing-photo'
  | 'unreadable-photo'
  | 'duplicate-photo'
  | 'no-frame'
  | 'left-out'
  | 'unclear-column';

/** One thing wrong. An error keeps the data from being used; a warning does not. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: ProblemCode;
  /** File and row, relative to the data folder (`train.csv row 7`). */
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

/** Takes what is wrong at one place: code, what, remedy. */
export type Complain = (code: ProblemCode, what: string, remedy: string) => void;

/** Adds errors, or warnings, at `where` to a list. */
export function complainTo(
  problems: Problem[],
  where: string,
  severity: Problem['severity'] = 'error',
): Complain {
  return (code, what, remedy) => problems.push({ severity, code, where, what, remedy });
}

/** Adds a warning to a list. */
export function warn(problems: Problem[], problem: Omit<Problem, 'severity'>): void {
  problems.push({ severity: 'warning', ...problem });
}

/** A problem as the one line a person reads. */
export function problemLine(problem: Problem): string {
  return printable(`${problem.where}: ${problem.what}; ${problem.remedy}`);
}

/** What is to be done about a photo that is not there; about many where no other remedy holds for all. */
export const ADD_PHOTO = 'add the photo or remove its rows';
const ADD_PHOTOS = 'add the photos or remove their rows';

/** Rows, or photos, that a message names at most. */
const MOST_NAMED = 3;

/** Problems that are of a photo, and not of a row among many alike. */
const OF_PHOTOS: readonly ProblemCode[] = ['duplicate-photo', 'no-frame', 'unreadable-photo'];

/** Problems as lines: many of one kind are one line, with the first of their rows. */
export function problemLines(problems: readonly Problem[]): string[] {
  const kinds = new Map<string, Problem[]>();
  problems.forEach((problem, place) => {
    const { severity, code, where, remedy } = problem;
    const [table, row] = where.split(/ row (?=\d+$)/);
    const isAlone = row === undefined || OF_PHOTOS.includes(code);
    const kind = JSON.stringify(isAlone ? place : [severity, code, table, remedy]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), problem]);
  });
  return [...kinds.values()].flatMap((alike) => {
    const [first, ...more] = alike;
    if (!first || more.length < MOST_NAMED) return alike.map((one) => `${one.severity}: ${problemLine(one)}`);
    const rows = more.slice(0, MOST_NAMED).map(({ where }) => / row (\d+)$/.exec(where)?.[1]);
    const rest = more.length > MOST_NAMED ? ' …' : '';
    const what = `${first.what} (and ${more.length} more such: rows ${rows.join(', ')}${rest})`;
    return [`${first.severity}: ${problemLine({ ...first, what })}`];
  });
}

/**
 * Throws the first error among `problems`, saying how many more there are.
 *
 * @throws InputError naming file, row and remedy
 */
export function throwOnError(folder: string, problems: readonly Problem[]): void {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const first = errors[0];
  if (!first) return;
  const missing = errors.filter(({ code }) => code === 'missing-photo');
  if (first.code === 'missing-photo' && missing.length > 1) {
    const named = missing.slice(0, MOST_NAMED).map(({ what, where }) => `${what} (${where})`);
    const rest = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
    const what = `lacks ${missing.length} photos: ${named.join(', ')}${rest}`;
    // Photos that are there twice, say, are not to be added.
    const isOther = first.remedy !== ADD_PHOTO && missing.every(({ remedy }) => remedy === first.remedy);
    throw new InputError(folder, what, isOther ? first.remedy : ADD_PHOTOS);
  }
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more: run sward check ${folder})` : '';
  throw new InputError(`${folder}: ${first.where}`, first.what, `${first.remedy}${more}`);
}
