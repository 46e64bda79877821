import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Every file of a run by its path in it; the report without the name of the run and the day, which it begins with. */
export function runContents(run: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [
        path.slice(run.length),
        basename(path) === 'report.html' ? namelessReport(path) : readFileSync(path, 'base64'),
      ]),
  );
}

/** The text of a report without the name of its run and the day. */
export const namelessReport = (path: string): string =>
  readFileSync(path, 'utf8').replaceAll(/(?<=Pasture biomass: )[^<(]+\(([^<]*), \d{4}-\d\d-\d\d\)/g, '$1');
