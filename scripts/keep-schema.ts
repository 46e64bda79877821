/**
 * Writes the database of a farm's folder as SQL, to be kept as `test/server/schemas/NAME.sql` when its version of the
 * schema is released: every later version must bring it forward.
 *
 *     npx tsx scripts/keep-schema.ts DIR > test/server/schemas/001-farm.sql
 */
import { join } from 'node:path';
import Libsql from 'libsql';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('give the folder of a farm');
const db = new Libsql(join(folder, 'sward.db'));

interface Master {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

const parts = db.prepare('select type, name, sql from sqlite_master order by rowid').all() as Master[];
const literal = (value: unknown): string => {
  if (value === null) return 'null';
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
};
const lines: string[] = [];
for (const { name, sql } of parts) if (sql !== null && !name.startsWith('sqlite_')) lines.push(`${sql};`);
for (const { type, name } of parts) {
  if (type !== 'table' || name.startsWith('sqlite_')) continue;
  for (const row of db.prepare(`select * from "${name}"`).all() as Record<string, unknown>[]) {
    const columns = Object.keys(row);
    lines.push(
      `insert into "${name}" (${columns.map((column) => `"${column}"`).join(', ')}) values (${columns.map((column) => literal(row[column])).join(', ')});`,
    );
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
