import { messageOf } from '../errors.ts';
import type { ChildMessage } from './limited-child.ts';
import { keepWithin } from './limits.ts';

/** What a child does: the tasks that its parent sends, one after another. */
export function serveTasks<Task, Answer, News = never>(
  work: (task: Task, tell: (news: News) => void) => Promise<Answer>,
): void {
  keepWithin(Number(process.argv[2]));
  const send = (message: ChildMessage<Answer, News>): void => {
    // A parent that is gone wants no answer; the process ends with its channel.
    if (process.connected) process.send?.(message);
  };
  process.on('message', (task: Task) => {
    work(task, (news) => send({ kind: 'news', news })).then(
      (answer) => send({ kind: 'answer', answer }),
      (error: unknown) =>
        send({
          kind: 'refusal',
          name: error instanceof Error ? error.name : 'Error',
          message: messageOf(error),
        }),
    );
  });
}
