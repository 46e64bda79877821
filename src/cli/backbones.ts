import type { Command } from 'commander';
import { countOf } from '../ground/counts.ts';
import { backboneWeights, type ListedBackbone, listBackbones, pullBackbone } from '../workflows/index.ts';
import type { CommandRegistrar } from './command.ts';
import { printResult, say } from './console.ts';
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
      const { pulled = false, json } = options;
      const rows = await listBackbones({ ...(pattern !== undefined && { pattern }), pulled });
      printResult(
        json,
        () => rows,
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
      const { weights, licence } = await pullBackbone(name, { progress: consoleProgress() });
      if (licence?.name === 'DINOv3') say(`licence ${licence.name}: ${licence.note}`);
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
      const weights = await backboneWeights(name);
      const { part, assumed } = weights;
      if (part !== undefined) say(`backbone: what lies below ${JSON.stringify(part)}`);
      if (assumed !== undefined) say(`assumed: ${assumed}`);
      printResult(
        json,
        () => weights,
        () => weights.path,
      );
    });
}

function listText(rows: readonly ListedBackbone[]): string {
  const table = textTable(
    ['name', 'features', 'parameters', 'download', 'input', 'licence', 'gated', 'pulled'],
    rows.map(({ name, width, parameters, bytes, dataBytes, preprocessing, licence, gated, pulled }) => [
      name,
      String(width),
      `${(parameters / 1e6).toFixed(1)} M`,
      `${Math.round((bytes ?? dataBytes) / 1e6)} MB`,
      preprocessing.inputSize.join('×'),
      licence,
      gated ? 'yes' : 'no',
      pulled ? 'yes' : '–',
    ]),
  );
  const pulled = rows.filter((backbone) => backbone.pulled);
  return `${table}\n${countOf(rows.length, 'backbone')}, ${pulled.length} pulled`;
}
