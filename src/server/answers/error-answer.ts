import { HTTPException } from 'hono/http-exception';
import { ChildFailure, TaskRefused } from '../../ground/children/limited-child.ts';
import { SwardError } from '../../ground/errors.ts';
import { Busy } from '../inference/pool.ts';
import { RUN_UNUSABLE } from '../inference/run-unusable.ts';
import { DiskFull } from '../storage/disk.ts';
import { Refusal } from './refusal.ts';

/** What is answered where something could not be done. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly error: { readonly code: string; readonly message: string } };
  readonly retryAfterSeconds?: number;
  /** Whether it is the server's own failure, to be logged as such. */
  readonly isOurs: boolean;
}

/** After which an owner may have put the run back, or let another answer. */
const RUN_RETRY_SECONDS = 60;

/** Classes of errors that a person is to read, by their names in the child that raised them. */
const FOR_PEOPLE = new Set(['InputError', 'UsageError', 'SwardError', 'ShapeError']);

/** The answer to an error, which tells nothing of the server where it is the server's own. */
export function answerTo(error: unknown): ErrorAnswer {
  const answer = (
    status: number,
    code: string,
    message: string,
    retryAfterSeconds?: number,
  ): ErrorAnswer => ({
    status,
    body: { error: { code, message } },
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    isOurs: status === 500,
  });
  if (error instanceof Refusal)
    return answer(error.status, error.code, error.message, error.retryAfterSeconds);
  if (error instanceof HTTPException) return answer(error.status, 'bad-request', error.message);
  if (error instanceof Busy) return answer(429, 'busy', error.message, error.retryAfterSeconds);
  if (error instanceof DiskFull) return answer(507, 'disk-full', error.message);
  if (error instanceof TaskRefused && error.of === 'DiskFull') return answerTo(new DiskFull());
  if (error instanceof TaskRefused && error.of === RUN_UNUSABLE) {
    const message = `the run that answers cannot be opened: ${withoutPaths(error.message)}`;
    return answer(503, 'run-unusable', message, RUN_RETRY_SECONDS);
  }
  if (error instanceof TaskRefused && FOR_PEOPLE.has(error.of))
    return answer(422, 'unusable', withoutPaths(error.message));
  if (error instanceof SwardError) return answer(422, 'unusable', error.message);
  if (error instanceof ChildFailure)
    return answer(422, 'unusable', `the photo cannot be used: it ${error.message}`);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (isBrokenOff(error)) return answer(BROKEN_OFF, 'broken-off', 'the request was broken off');
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') {
    return answer(409, 'conflict', 'something it names is not there, or something there still names it');
  }
  if (code.startsWith('SQLITE_CONSTRAINT'))
    return answer(409, 'conflict', 'an id of it is another record’s already');
  if (code === 'SQLITE_FULL') return answerTo(new DiskFull());
  if (code === 'SQLITE_BUSY') return answer(503, 'busy', 'the database is busy; try again', 1);
  return answer(500, 'internal', 'the server failed; its log says where');
}

/** What is answered, to nobody, where a client went away before it had sent all; nginx counts these so. */
export const BROKEN_OFF = 499;

/** Node's own error of a request whose client went away. */
const isBrokenOff = (error: unknown): boolean =>
  error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET';

/** A message of a child without the folders of this machine, and with what they keep called as people know it. */
const withoutPaths = (message: string): string =>
  message
    .replaceAll(/(?:[A-Za-z]:)?(?:[\\/][^\s:;,\\/]+)+[\\/]/g, '')
    .replaceAll(KEPT_NAME, 'the photo')
    .replace(/^the photo: the photo /, 'the photo ');

/** What files of photos are called on the server: by their SHA-256, or on their way by the photo's id. */
const KEPT_NAME = /\b(?:[\da-f]{64}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\b(?=: )/g;
