import { type Options, SingleBar } from 'cli-progress';
import { printable } from '../ground/printable.ts';
import type { Progress } from '../ground/progress.ts';

/** Goes to the start of the terminal's row and clears it. */
const WIPED_ROW = '\r\u001b[2K';

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
  // Such a terminal shows what should move the cursor.
  const draws = stream.isTTY && process.env.TERM !== 'dumb';
  return draws ? barProgress(stream) : plainProgress(stream, now);
}

/** Bars that are being drawn: they draw themselves again and again, and have hidden the cursor. */
const BARS = new Set<SingleBar>();

/** Ends what is drawn and shows the cursor again: for a command that ends otherwise than it was to. */
export function endProgress(): void {
  for (const bar of BARS) bar.stop();
  BARS.clear();
}

function barProgress(stream: NodeJS.WriteStream): Progress {
  let bar: SingleBar | undefined;
  let stage = new Stage(0, Date.now());
  const stop = (): void => {
    if (!bar) return;
    bar.stop();
    BARS.delete(bar);
    bar = undefined;
  };
  const shown = (): { rate: string; left: string } => stage.pace(Date.now());
  return {
    stage(title, total, unit) {
      stop();
      stage = new Stage(total, Date.now());
      const options: Options = {
        stream,
        format: `${printable(title)} [{bar}] {value}/{total} ${unit} · {rate}/s · {left} left {remark}`,
        barCompleteChar: '=',
        barIncompleteChar: ' ',
        hideCursor: true,
        // A line written above it wipes it out.
        forceRedraw: true,
      };
      bar = new SingleBar(options);
      BARS.add(bar);
      bar.start(total, 0, { ...shown(), remark: '' });
    },
    advance(steps = 1, remark = '') {
      stage.advance(steps);
      bar?.increment(steps, { ...shown(), remark: printable(remark) });
    },
    note(remark, share) {
      stage.share = share ?? stage.share;
      bar?.update({ ...shown(), remark: printable(remark) });
    },
    line(text) {
      if (bar) stream.write(WIPED_ROW);
      stream.write(`${printable(text)}\n`);
      bar?.render();
    },
    done: stop,
  };
}

function plainProgress(stream: NodeJS.WriteStream, now: () => number): Progress {
  let [title, unit, lastLine] = ['', '', 0];
  let stage = new Stage(0, 0);
  const line = (remark: string): void => {
    const { rate, left } = stage.pace(now());
    const parts = [
      `${title}: ${stage.count}/${stage.total} ${unit}`,
      `${rate}/s`,
      stage.count < stage.total && left !== UNKNOWN ? `${left} left` : `${stage.seconds(now()).toFixed(1)} s`,
      remark,
    ];
    stream.write(`${printable(parts.filter((part) => part !== '').join(' · '))}\n`);
    lastLine = now();
  };
  const isDue = (): boolean => now() - lastLine >= PLAIN_LINE_MILLISECONDS;
  return {
    stage(newTitle, total, newUnit) {
      [title, unit, lastLine] = [newTitle, newUnit, now()];
      stage = new Stage(total, now());
    },
    advance(steps = 1, remark = '') {
      stage.advance(steps);
      if (isDue() || remark !== '' || stage.count === stage.total) line(remark);
    },
    note(remark, share) {
      stage.share = share ?? stage.share;
      if (isDue()) line(remark);
    },
    line(text) {
      stream.write(`${printable(text)}\n`);
    },
    done() {},
  };
}

/** What is shown for a time or rate that nothing tells yet. */
const UNKNOWN = '–';

/** How far a stage is: whole steps, and a share of the one in progress where that is told. */
class Stage {
  readonly total: number;
  readonly #started: number;
  count = 0;
  share = 0;

  constructor(total: number, started: number) {
    this.total = total;
    this.#started = started;
  }

  advance(steps: number): void {
    this.count += steps;
    this.share = 0;
  }

  seconds(now: number): number {
    return Math.max(1e-3, (now - this.#started) / 1000);
  }

  /** Steps a second so far, and how long the rest takes at that rate. */
  pace(now: number): { readonly rate: string; readonly left: string } {
    const done = this.count + this.share;
    if (done === 0) return { rate: UNKNOWN, left: UNKNOWN };
    const rate = done / this.seconds(now);
    return { rate: rateText(rate), left: timeText((this.total - done) / rate) };
  }
}

const rateText = (rate: number): string => (rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2));

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
