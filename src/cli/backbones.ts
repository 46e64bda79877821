import type { Command } from 'commander';
import {
  CATALOGUE,
  type CatalogueEntry,
  findBackbone,
  LICENCE_NOTES,
  pulledPath,
  pullWeights,
  resolveWeights,
} from '../vision/weights/index.ts';
import { type CommandRegistrar, printResult } from './command.ts';
import { consoleProgress } from './console-progress.ts';
import { textTable } from './tables.ts';

interface JsonOption {
  readonly json?: boolean;
}

/** `sward backbones`: the catalogue of backbones, and their weights on this machine. */
export const registerBackbones: CommandRegistrar = (program) => {
  const backbones = program.command('backbones').description('list backbones, and bring their weights here');
  registerList(backbones);
  registerPull(backbones);
  registerPath(backbones);
  // Subcommands inherit neither from the command.
  for (const command of backbones.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
};

function registerList(backbones: Command): void {
  backbones
    .command('list')
    .description('list every backbone of the catalogue, and which are pulled')
    .argument('[PATTERN]', 'only names that contain this text')
    .option('--pulled', 'only those that are pulled')
    .option('--json', 'print the catalogue as JSON')
    .action(async (pattern: string | undefined, options: JsonOption & { pulled?: boolean }) => {
      const named = CATALOGUE.filter(({ name }) => pattern === undefined || name.includes(pattern));
      const all = await Promise.all(named.map(async (entry) => ({ entry, path: await pulledPath(entry) })));
      const rows = options.pulled === true ? all.filter(({ path }) => path !== undefined) : all;
      printResult(
        options.json,
        () => rows.map(({ entry, path }) => ({ ...entry, pulled: path !== undefined, path: path ?? null })),
        () => listText(rows),
      );
    });
}

function registerPull(backbones: Command): void {
  backbones
    .command('pull')
    .description('bring the weights of a backbone from the Hugging Face hub, and print where they lie')
    .argument('<NAME>', 'name in the catalogue, or organisation/name[@revision] on the hub')
    .option('--json', 'print what was pulled as JSON')
    .action(async (name: string, { json }: JsonOption) => {
      const weights = await pullWeights(name, { progress: consoleProgress() });
      const licence = findBackbone(name)?.licence;
      if (licence === 'DINOv3') process.stderr.write(`licence ${licence}: ${LICENCE_NOTES[licence]}\n`);
      printResult(
        json,
        () => weights,
        () => weights.path,
      );
    });
}

function registerPath(backbones: Command): void {
  backbones
    .command('path')
    .description('print where the weights of a backbone lie')
    .argument('<NAME>', 'name in the catalogue, organisation/name[@revision], or a file')
    .option('--json', 'print what is known of them as JSON')
    .action(async (name: string, { json }: JsonOption) => {
      const weights = await resolveWeights(name);
      printResult(
        json,
        () => weights,
        () => weights.path,
      );
    });
}

function listText(
  rows: readonly { readonly entry: CatalogueEntry; readonly path: string | undefined }[],
): string {
  const table = textTable(
    ['name', 'features', 'parameters', 'download', 'input', 'licence', 'gated', 'pulled'],
    rows.map(({ entry, path }) => [
      entry.name,
      String(entry.width),
      `${(entry.parameters / 1e6).toFixed(1)} M`,
      `${Math.round((entry.bytes ?? entry.dataBytes) / 1e6)} MB`,
      entry.preprocessing.inputSize.join('×'),
      entry.licence,
      entry.gated ? 'yes' : 'no',
      path === undefined ? '–' : 'yes',
    ]),
  );
  const pulled = rows.filter(({ path }) => path !== undefined).length;
  return `${table}\n${rows.length} backbones, ${pulled} pulled`;
}
