import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { consoleProgress, endProgress } from '../../src/cli/console-progress.ts';

/** A stream that is no terminal, and a clock that moves when told. */
function watched(): { lines: () => string[]; stream: NodeJS.WriteStream; clock: { now: number } } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const lines = (): string[] => text.split('\n').filter(Boolean);
  return { lines, stream: stream as unknown as NodeJS.WriteStream, clock: { now: 0 } };
}

describe('progress on a terminal', () => {
  it('ends where a command ends otherwise, and shows the cursor again', async () => {
    const { lines, stream } = watched();
    const terminal = Object.assign(stream, { isTTY: true, columns: 120 });
    consoleProgress(terminal).stage('Predicting', 2, 'photos');
    endProgress();
    const shown = lines().join('\n');
    expect(shown.lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001b[?25l'));
    await pause(300);
    expect(lines().join('\n')).toBe(shown);
  });

  it('never obeys what a name says', () => {
    const { lines, stream } = watched();
    const progress = consoleProgress(Object.assign(stream, { isTTY: true, columns: 120 }));
    progress.stage('Reading', 2, 'photos');
    progress.advance(1, 'a\u001b[31mb\n');
    progress.line?.('left out: \u001b]0;x\u0007.txt');
    progress.done();
    for (const code of ['\u001b[31m', '\u001b]0']) expect(lines().join('\n')).not.toContain(code);
    expect(lines().join('\n')).toContain('left out: \\u001b]0;x\\u0007.txt');
  });

  it('keeps lines above the bar, which is drawn again below them', () => {
    const { lines, stream } = watched();
    const terminal = Object.assign(stream, { isTTY: true, columns: 120 });
    const progress = consoleProgress(terminal);
    progress.stage('Training', 2, 'folds');
    progress.line?.('fold 0 epoch 1/2');
    progress.done();
    const [drawn = '', below = ''] = lines();
    expect(drawn).toMatch(/Training \[ +\] 0\/2 folds /);
    expect(drawn.endsWith('\r\u001b[2Kfold 0 epoch 1/2')).toBe(true);
    expect(below).toMatch(/Training \[ +\] 0\/2 folds/);
  });
});

describe('progress where there is no terminal', () => {
  it('is a line every few seconds with rate and time left, and one at the end', () => {
    const { lines, stream, clock } = watched();
    const progress = consoleProgress(stream, () => clock.now);
    progress.stage('Reading', 10, 'photos');
    for (let step = 0; step < 10; step++) {
      clock.now += 2000;
      progress.advance();
    }
    progress.done();
    expect(lines()).toEqual([
      'Reading: 3/10 photos · 0.50/s · 14 s left',
      'Reading: 6/10 photos · 0.50/s · 8 s left',
      'Reading: 9/10 photos · 0.50/s · 2 s left',
      'Reading: 10/10 photos · 0.50/s · 20.0 s',
    ]);
  });

  it('shows how a step goes no more often than lines are due', () => {
    const { lines, stream, clock } = watched();
    const progress = consoleProgress(stream, () => clock.now);
    progress.stage('Training', 2, 'folds');
    for (let epoch = 1; epoch <= 6; epoch++) {
      clock.now += 2000;
      progress.note?.(`epoch ${epoch}`);
    }
    expect(lines().map((line) => line.split(' · ').at(-1))).toEqual(['epoch 3', 'epoch 6']);
  });

  it('knows the time left within the first step where its share is told', () => {
    const { lines, stream, clock } = watched();
    const progress = consoleProgress(stream, () => clock.now);
    progress.stage('Training', 2, 'folds');
    clock.now += 6000;
    progress.note?.('epoch 1');
    clock.now += 6000;
    progress.note?.('epoch 2', 0.25);
    clock.now += 36_000;
    progress.advance(1, 'fold 0');
    clock.now += 2_400_000;
    progress.note?.('epoch 1', 0.1);
    expect(lines()).toEqual([
      'Training: 0/2 folds · –/s · 6.0 s · epoch 1',
      'Training: 0/2 folds · 0.021/s · 84 s left · epoch 2',
      'Training: 1/2 folds · 0.021/s · 48 s left · fold 0',
      'Training: 1/2 folds · 0.00045/s · 33 min left · epoch 1',
    ]);
  });

  it('writes lines that are to stay at once', () => {
    const { lines, stream } = watched();
    const progress = consoleProgress(stream, () => 1000);
    progress.stage('Training', 2, 'folds');
    progress.line?.('fold 0 epoch 1/2');
    progress.line?.('fold 0 epoch 2/2');
    expect(lines()).toEqual(['fold 0 epoch 1/2', 'fold 0 epoch 2/2']);
  });

  it('tells every remark', () => {
    const { lines, stream } = watched();
    const progress = consoleProgress(stream, () => 1000);
    progress.stage('Training', 2, 'folds');
    progress.advance(1, 'fold 0 R² 0.5');
    expect(lines()[0]).toMatch(/^Training: 1\/2 folds .* fold 0 R² 0\.5$/);
  });
});
