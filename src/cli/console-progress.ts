import { type Options, SingleBar } from 'cli-progress';
import type { Progress } from '../ground/progress.ts';

/** A line a stage is written at most this often where there is no terminal. */
const PLAIN_LINE_MILLISECONDS = 5_000;

/**
 * Progress on stderr: a bar with rate and time left on a terminal, else a plain line now and then and one at
 * the end of each stage.
 *
 * @param now milliseconds, for rates
 */
export function consoleProgress(
  stream: NodeJS.WriteStream = process.stderr,
  now: () => number = Date.now,
): Progress {
  return stream.isTTY ? barProgress(stream) : plainProgress(stream, now);
}

function barProgress(stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | undefined;
  let started = 0;
  let count = 0;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stage(title, total, unit) {
      stop();
      started = Date.now();
      count = 0;
      const options: Options = {
        stream,
        format: `${title} [{bar}] {value}/{total} ${unit} · {rate}/s · {eta_formatted} left {remark}`,
        barCompleteChar: '=',
        barIncompleteChar: ' ',
        hideCursor: true,
        etaBuffer: 50,
      };
      bar = new SingleBar(options);
      bar.start(total, 0, { rate: '–', remark: '' });
    },
    advance(steps = 1, remark = '') {
      count += steps;
      const seconds = Math.max(1e-3, (Date.now() - started) / 1000);
      bar?.increment(steps, { rate: rateText(count / seconds), remark });
    },
    note: (remark) => bar?.update({ remark }),
    done: stop,
  };
}

function plainProgress(stream: NodeJS.WriteStream, now: () => number): Progress {
  let stage = { title: '', total: 0, unit: '', started: 0, lastLine: 0, count: 0 };
  const line = (remark: string): void => {
    const seconds = Math.max(1e-3, (now() - stage.started) / 1000);
    const rate = stage.count / seconds;
    const left = stage.count > 0 ? (stage.total - stage.count) / rate : Number.NaN;
    const parts = [
      `${stage.title}: ${stage.count}/${stage.total} ${stage.unit}`,
      `${rateText(rate)}/s`,
      stage.count < stage.total && Number.isFinite(left)
        ? `${Math.ceil(left)} s left`
        : `${seconds.toFixed(1)} s`,
      remark,
    ];
    stream.write(`${parts.filter((part) => part !== '').join(' · ')}\n`);
    stage.lastLine = now();
  };
  return {
    stage(title, total, unit) {
      stage = { title, total, unit, started: now(), lastLine: now(), count: 0 };
    },
    advance(steps = 1, remark = '') {
      stage.count += steps;
      const due = now() - stage.lastLine >= PLAIN_LINE_MILLISECONDS;
      if (due || remark !== '' || stage.count === stage.total) line(remark);
    },
    note(remark) {
      if (now() - stage.lastLine >= PLAIN_LINE_MILLISECONDS) line(remark);
    },
    done() {},
  };
}

function rateText(rate: number): string {
  return rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2);
}
