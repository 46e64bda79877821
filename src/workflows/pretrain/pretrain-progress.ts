import type { Progress } from '../../ground/progress.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { lineText } from '../train/train.ts';

/** Passes an epoch loop's messages on as photos of all epochs, with rate and time left. */
export interface EpochWatch {
  readonly onProgress: (share: number) => void;
  readonly record: (line: MetricLine) => void;
  readonly done: () => void;
}

/**
 * Watches a training from its start or from where it goes on: lines that come before any photo are of the time
 * before, and do not count into the rate.
 *
 * @param photos trained on in an epoch
 */
export function watchEpochs(progress: Progress, title: string, photos: number, epochs: number): EpochWatch {
  const all = photos * epochs;
  let shown = 0;
  let restored = 0;
  let remark = '';
  progress.stage(title, all, 'photos');
  return {
    onProgress(share) {
      const done = Math.round(share * all);
      if (restored > 0) {
        progress.stage(`${title}, from epoch ${restored + 1}`, all - done, 'photos');
        restored = 0;
        shown = done;
      } else if (done < all) {
        progress.advance(done - shown);
        progress.note?.(remark);
        shown = done;
      }
    },
    record(line) {
      remark = lineText(line);
      if (shown === 0) {
        restored = line.epoch ?? 0;
        return;
      }
      // The last photos count with the last line, which ends the stage.
      const last = line.epoch === epochs ? all - shown : 0;
      progress.advance(last, remark);
      shown += last;
    },
    done: () => progress.done(),
  };
}
