import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SwardError } from '../src/ground/errors.ts';

/** What a benchmark file exports: it prints readable rows to stderr and returns the figures. */
interface Benchmark {
  readonly run: () => Promise<unknown>;
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== basename(import.meta.filename))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

async function main(args: readonly string[]): Promise<number> {
  const asJson = args.includes('--json');
  const [name = '', ...rest] = args.filter((arg) => arg !== '--json');
  const file = join(import.meta.dirname, `${name}.ts`);
  if (!names.includes(name) || rest.length > 0 || !existsSync(file)) {
    process.stderr.write(`usage: npm run bench -- NAME [--json], NAME one of ${names.join(', ')}\n`);
    return 2;
  }
  const { run } = (await import(pathToFileURL(file).href)) as Benchmark;
  const figures = await run().catch((error: unknown) => {
    if (!(error instanceof SwardError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
  });
  if (figures === undefined) return 1;
  process.stdout.write(`${asJson ? JSON.stringify(figures) : JSON.stringify(figures, null, 2)}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
