import { printable } from './printable.ts';

/**
 * The error every person-facing failure is reported with. The message is one line that names the file, the
 * row where there is one, and the remedy; the command line prints it as it stands and exits with 1.
 */
export class SwardError extends Error {
  override name = 'SwardError';

  /** What it quotes of names and cells stays on one line, and no terminal obeys it. */
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

/** A file a person gave (CSV, photo, array, run folder) cannot be used as it is. */
export class InputError extends SwardError {
  override name = 'InputError';
  readonly where: string;
  readonly what: string;
  readonly remedy: string;

  /**
   * @param where file, with row or tensor where there is one (`train.csv row 7`)
   * @param what what is wrong with it
   * @param remedy what the person can do about it
   */
  constructor(where: string, what: string, remedy: string) {
    super(`${where}: ${what}; ${remedy}`);
    this.where = printable(where);
    this.what = printable(what);
    this.remedy = printable(remedy);
  }
}

/** A command or library function was called with options that do not fit together; exit code 2. */
export class UsageError extends SwardError {
  override name = 'UsageError';
}

/** Shapes or dtypes that do not fit, raised where the mistake is made. */
export class ShapeError extends SwardError {
  override name = 'ShapeError';
}

/** The one-line text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
