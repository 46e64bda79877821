import { describe, it } from 'vitest';

/**
 * Tests of what needs something that a machine may lack. Where it is missing they are skipped and say so; where the
 * variable is 1, as in `.ci/run`, they fail.
 *
 * @param missing what is not there; null: all is
 */
export function describeWith(
  missing: string | null,
  { variable, remedy }: { readonly variable: string; readonly remedy: string },
  name: string,
  tests: () => void,
): void {
  if (missing === null) describe(name, tests);
  else if (process.env[variable] === '1') {
    describe(name, () => {
      it(`needs ${missing}`, () => {
        throw new Error(`there is no ${missing}; ${remedy}`);
      });
    });
  } else describe.skip(`${name} (skipped: no ${missing})`, tests);
}
