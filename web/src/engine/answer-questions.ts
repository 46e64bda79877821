import { messageOf } from '../../../src/ground/errors.ts';
import type { AskedOf, Question, Reply } from './asked-worker.ts';
import type { LoadProgress } from './download.ts';

/** What a worker answers, by the kind of question. */
export type Answers<Questions extends AskedOf<Questions>> = {
  readonly [Kind in keyof Questions]: (
    ask: Questions[Kind]['ask'],
    onProgress: (progress: LoadProgress) => void,
  ) => Promise<Questions[Kind]['answer']>;
};

/** Tells who asks this worker that it can answer no more. */
export const tellEnd = (ended: string): void => reply({ ended });

/**
 * Answers what is asked of this worker, one question after another: two photos in memory at once are one too many for a
 * phone.
 *
 * @param beside kinds that take long and wait for no turn
 * @returns does some work in a time in which nothing else was asked: again, where something was
 */
export function answerQuestions<Questions extends AskedOf<Questions>>(
  answers: Answers<Questions>,
  beside: readonly (keyof Questions)[] = [],
): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let asked = 0;
  addEventListener('message', ({ data: { id, kind, ask } }: MessageEvent<Question<Questions>>) => {
    const answer = () => answers[kind](ask, (progress) => reply({ id, progress }));
    const answered = (beside.includes(kind) ? answer() : last.then(answer))
      .then((said) => reply({ id, answer: said }))
      .catch((error: unknown) => reply({ id, error: { message: messageOf(error) } }));
    if (beside.includes(kind)) return;
    asked++;
    last = answered;
  });
  return async (work) => {
    for (;;) {
      await last;
      const before = asked;
      const result = await work();
      if (asked === before) return result;
    }
  };
}

const reply = (message: Reply): void => postMessage(message);
