import type { Progress } from '../ground/progress.ts';
import { type Learner, leaveOneStateOut } from './cross-validation.ts';
import { type StateOutRow, statesIn } from './leave-one-state-out.ts';
import type { TrainingData } from './training-data.ts';

/** Every photo of a known State as predicted without that State; null with fewer than two States. */
export async function stressTest<Input>(
  learner: Learner<Input>,
  { labels }: Pick<TrainingData, 'labels'>,
  seed: number,
  progress: Progress,
): Promise<StateOutRow[] | null> {
  const states = labels.map((label) => label.state);
  progress.stage('Leaving one State out', statesIn(states).length, 'States');
  const outcome = await leaveOneStateOut(learner, states, seed, () => progress.advance());
  progress.done();
  return (
    outcome &&
    labels.flatMap(({ imageId, state, targets }, item) => {
      const predicted = outcome[item];
      return predicted && state !== null ? [{ imageId, state, observed: targets, predicted }] : [];
    })
  );
}
