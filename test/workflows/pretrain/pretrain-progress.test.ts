import { expect, it } from 'vitest';
import type { Progress } from '../../../src/ground/progress.ts';
import { watchEpochs } from '../../../src/workflows/pretrain/pretrain-progress.ts';

/** What was told of each stage: title, total, and the photos counted with the last remark. */
function recorded(): Progress & { readonly told: (string | number)[][] } {
  const told: (string | number)[][] = [];
  let counted = 0;
  return {
    told,
    stage(title, total) {
      counted = 0;
      told.push([title, total]);
    },
    advance(steps = 1, remark = '') {
      counted += steps;
      told.push([counted, remark]);
    },
    done() {},
  };
}

it('counts the photos of all epochs, the last of them with the last line', () => {
  const progress = recorded();
  const watch = watchEpochs(progress, 'Pretraining', 10, 2);
  for (const share of [0.25, 0.5]) watch.onProgress(share);
  watch.record({ epoch: 1, loss: 3 });
  for (const share of [0.75, 1]) watch.onProgress(share);
  watch.record({ epoch: 2, loss: 2 });
  expect(progress.told).toEqual([
    ['Pretraining', 20],
    ...[
      [5, ''],
      [10, ''],
      [10, 'epoch 1 loss 3'],
      [15, ''],
    ],
    [20, 'epoch 2 loss 2'],
  ]);
});

it('begins again with what is left where a training goes on, so that its rate is its own', () => {
  const progress = recorded();
  const watch = watchEpochs(progress, 'Pretraining', 10, 4);
  for (const epoch of [1, 2]) watch.record({ epoch, loss: 3 });
  watch.onProgress(0.55);
  watch.onProgress(0.75);
  watch.record({ epoch: 3, loss: 2 });
  expect(progress.told).toEqual([
    ['Pretraining', 40],
    ['Pretraining, from epoch 3', 18],
    [8, ''],
    [8, 'epoch 3 loss 2'],
  ]);
});
