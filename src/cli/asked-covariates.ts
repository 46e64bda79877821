import type { Command } from 'commander';
import { type AskedCovariates, type AskedHeight, askedHeight } from '../workflows/index.ts';
import { anyNumber } from './command.ts';
import { addCovariateOptions, type CovariateOptions, covariateSource } from './training-options.ts';

/** Options by which what was measured beside the photos asked about is given. */
export interface AskedOptions extends CovariateOptions {
  readonly height?: AskedHeight;
  readonly ndvi?: number;
}

/** Adds `--height`, `--ndvi` and where they may come from. */
export function addAskedCovariates(command: Command): Command {
  return addCovariateOptions(
    command
      .option(
        '--height <cm>',
        "the sward's height at the photos, cm; or 24clicks of a rising plate",
        askedHeight,
      )
      .option('--ndvi <n>', 'NDVI at the photos', anyNumber('--ndvi')),
  );
}

/** What options say was measured beside the photos; undefined: nothing. */
export function askedCovariates({ height, ndvi, ...options }: AskedOptions): AskedCovariates | undefined {
  const values = {
    ...(height !== undefined && { height: height.value }),
    ...(ndvi !== undefined && { ndvi }),
  };
  const source = covariateSource(options);
  const method = height?.method ?? source?.method;
  if (Object.keys(values).length === 0) return source;
  return { ...source, values, ...(method && { method }) };
}
