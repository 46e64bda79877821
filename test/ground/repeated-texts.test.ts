import { expect, it } from 'vitest';
import { markOf, repeatedTexts, TextMarks } from '../../src/ground/repeated-texts.ts';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, item) => `P${item}`);

it('texts that come more than once are found among many that do not', () => {
  const texts = [...numbered(5_000), 'P17', 'again', 'P4999', 'again', 'again'];
  expect(repeatedTexts(() => texts)).toEqual(new Set(['P17', 'P4999', 'again']));
  expect(repeatedTexts(() => numbered(5_000))).toEqual(new Set());
  expect(repeatedTexts(() => [])).toEqual(new Set());
});

it('marks tell which may come again, those of all that do among them', () => {
  const marks = new TextMarks();
  for (const text of [...numbered(3_000), 'P2999', 'P0']) marks.add(text);
  expect(marks.repeated()).toEqual(new Set([markOf('P2999'), markOf('P0')]));
});
