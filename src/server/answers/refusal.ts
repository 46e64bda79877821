import { SwardError } from '../../ground/errors.ts';

/** A request that is answered with why it cannot be done. */
export class Refusal extends SwardError {
  override name = 'Refusal';
  readonly status: number;
  readonly code: string;
  /** Seconds after which it may be tried again. */
  readonly retryAfterSeconds: number | undefined;

  /** @param code a word for programs, `not-found` */
  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** There is no such thing. */
export const notFound = (what: string): Refusal => new Refusal(404, 'not-found', `there is no such ${what}`);

/** What was looked for. @throws Refusal where there is no such thing */
export function found<Item>(item: Item | null | undefined, what: string): Item {
  if (item === null || item === undefined) throw notFound(what);
  return item;
}

/** It does not fit what is there. */
export const conflict = (message: string): Refusal => new Refusal(409, 'conflict', message);
