import { expect, it } from 'vitest';
import { answerTo } from '../../src/server/answers/error-answer.ts';

it('a request that its client broke off is no failure of the server', () => {
  const broken = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  expect(answerTo(broken)).toMatchObject({ status: 499, isOurs: false });
  expect(answerTo(new Error('aborted'))).toMatchObject({ status: 500, isOurs: true });
});
