import { z } from 'zod';
import { InputError, UsageError } from '../../ground/errors.ts';
import { nearestTo } from '../../ground/setting-list.ts';
import { readText, reasonOf } from '../../ground/whole-file.ts';
import { HEIGHT_UNITS, type HeightUnit } from '../../pasture/covariates.ts';
import { COLUMN_ROLES, type ColumnRole, MASS_UNITS, massUnit } from './roles.ts';

const HEIGHT_UNIT_NAMES = Object.keys(HEIGHT_UNITS) as HeightUnit[];

const mappedColumn = z.strictObject({
  /** The column's header; empty: the table has no such column, whatever its headers look like. */
  column: z.string(),
  unit: z.enum([...MASS_UNITS, ...HEIGHT_UNIT_NAMES]).optional(),
});

/** Which column has which role, as a person says it. */
export const columnMappingSchema = z.partialRecord(z.enum(COLUMN_ROLES), mappedColumn);
/** Which column has which role, as a person says it. */
export type ColumnMapping = z.output<typeof columnMappingSchema>;
type MappedColumn = z.output<typeof mappedColumn>;

/**
 * Reads `--columns`: `total="Total DM (kg/ha)",photo=File`, with a unit where the name has none
 * (`total:kg/ha=Total`), or a file of such lines (`.yaml`, `.json`): `total: Total DM (kg/ha)`, or
 * `total: { column: Total, unit: kg/ha }`. `dead=` says that there is no such column.
 *
 * @throws UsageError for a role or unit that is none
 * @throws InputError when the file cannot be read
 */
export async function readColumnMapping(text: string): Promise<ColumnMapping> {
  if (/\.(ya?ml|json)$/i.test(text.trim()) && !text.includes('=')) return mappingFile(text.trim());
  const mapping: { [Role in ColumnRole]?: MappedColumn } = {};
  // A comma may be part of a header: only one before another role separates.
  for (const part of text.split(/,(?=\s*[a-z]+\s*(?::[^=,]*)?=)/i)) {
    const found = /^\s*([^:=]+?)\s*(?::([^=]*))?=(.*)$/s.exec(part);
    if (!found)
      throw new UsageError(`--columns ${part.trim()}: write role=column, as total="Total DM (kg/ha)"`);
    const role = roleNamed(found[1] ?? '', '--columns');
    mapping[role] = { column: unquoted(found[3] ?? ''), ...unitNamed(role, found[2], '--columns') };
  }
  return mapping;
}

async function mappingFile(path: string): Promise<ColumnMapping> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(await readText(path), { logLevel: 'error' });
  } catch (error) {
    const what = `cannot be read (${reasonOf(error)})`;
    throw new InputError(path, what, 'write a line for each column, as total: Total DM (kg/ha)');
  }
  const lines = z.record(z.string(), z.union([z.string(), z.null(), mappedFileColumn])).safeParse(value);
  if (!lines.success) {
    const issue = lines.error.issues[0];
    throw new InputError(
      path,
      `${issue?.path.join('.')}: ${issue?.message}`,
      'write total: Total DM (kg/ha)',
    );
  }
  const mapping: { [Role in ColumnRole]?: MappedColumn } = {};
  for (const [name, line] of Object.entries(lines.data)) {
    const role = roleNamed(name, path);
    const { column, unit } =
      typeof line === 'object' && line !== null ? line : { column: line ?? '', unit: undefined };
    mapping[role] = { column: column.trim(), ...unitNamed(role, unit, path) };
  }
  return mapping;
}

const mappedFileColumn = z.strictObject({ column: z.string(), unit: z.string().optional() });

function roleNamed(text: string, where: string): ColumnRole {
  const name = text.trim().toLowerCase();
  const role = COLUMN_ROLES.find((known) => known === name);
  if (role) return role;
  const meant = nearestTo(name, COLUMN_ROLES);
  throw new UsageError(
    `${where}: there is no role ${text.trim()}${meant ? ` (did you mean ${meant}?)` : ''}; use ${COLUMN_ROLES.join(', ')}`,
  );
}

function unitNamed(role: ColumnRole, text: string | undefined, where: string): Pick<MappedColumn, 'unit'> {
  if (text === undefined || text.trim() === '') return {};
  const length = role === 'height' ? HEIGHT_UNIT_NAMES.find((unit) => unit === text.trim()) : undefined;
  const unit = length ?? massUnit(text);
  if (unit) return { unit };
  const units = role === 'height' ? HEIGHT_UNIT_NAMES : MASS_UNITS;
  throw new UsageError(`${where}: ${text.trim()} is no unit of ${role}; use ${units.join(', ')}`);
}

const unquoted = (text: string): string => /^\s*(["'])(.*)\1\s*$/s.exec(text)?.[2] ?? text.trim();
