import { useState } from 'preact/hooks';
import { messageOf } from '../../../src/ground/errors.ts';

/** Something that takes a while and may fail: whether it runs, and what went wrong last. */
export function useWork(): {
  readonly isRunning: boolean;
  readonly problem: string | null;
  readonly run: (work: () => Promise<unknown>) => Promise<void>;
} {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  return {
    isRunning,
    problem,
    async run(work) {
      setRunning(true);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(messageOf(error));
      } finally {
        setRunning(false);
      }
    },
  };
}
