import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemLine } from '../../src/data/problems.ts';
import { InputError, SwardError, UsageError } from '../../src/ground/errors.ts';
import { markdownText, printable, printableLines } from '../../src/ground/printable.ts';

/** Text as names and cells may hold: any code unit, and more often those that a terminal obeys. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b[2J',
        '\u009b31m',
        '\n',
        '\r',
        '\t',
        '\u0000',
        '\u007f',
        '\u202e',
        '\u2028',
        '\ud800',
        'é',
        '👩‍🌾',
      ),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''));

/** What a terminal could obey. */
const OBEYED = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

describe('printable text', () => {
  it('is one line that no terminal obeys, whatever it is made of', () => {
    fc.assert(
      fc.property(text, (given) => !OBEYED.test(printable(given))),
      { seed: 1, numRuns: 2000 },
    );
  });

  it('is the text itself where a person wrote it', () => {
    const names = ['IMG_0012 (1).HEIC', 'Weide Süd, März.jpg', '牧草 3.png', '👩‍🌾.jpg', 'C:\\Photos\\a.jpg'];
    expect(names.map(printable)).toEqual(names);
  });

  it('of several lines is the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), text, (value, name) => {
        const json = JSON.stringify({ value, [name]: name });
        const shown = printableLines(json);
        expect(JSON.parse(shown)).toEqual(JSON.parse(json));
        expect(shown).not.toMatch(OBEYED);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('of Markdown makes no markup', () => {
    expect(markdownText('a|b `c` <img src=x> [d](e)\n# f')).toBe(
      'a\\|b \\`c\\` \\<img src=x\\> \\[d\\](e)\\\\n# f'.replace('\\\\n', '\\\\n'),
    );
  });

  it('is what errors and problems say', () => {
    fc.assert(
      fc.property(text, text, text, (where, what, remedy) => {
        const problem = { severity: 'error', code: 'left-out', where, what, remedy } as const;
        const said = [
          new InputError(where, what, remedy).message,
          new UsageError(what).message,
          new SwardError(what).message,
          problemLine(problem),
        ];
        for (const line of said) expect(line).not.toMatch(OBEYED);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
