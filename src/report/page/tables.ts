import { html, Markup } from './markup.ts';

type Cell = string | number | Markup;

/** What a table of numbers may have besides its rows. */
export interface TableExtras {
  /** Names of the targets that rows stand for, kept as `data-target`. */
  readonly targets?: readonly string[];
  /** A last row, set apart. */
  readonly foot?: readonly Cell[];
  readonly compact?: boolean;
}

/**
 * A table whose rows begin with their heading, in a box of its own to scroll in, so that a wide one never widens
 * the page.
 *
 * @param heads heads of the columns, or the rows of the table's head where one is not enough
 */
export function numbersTable(
  heads: readonly string[] | Markup,
  rows: readonly (readonly Cell[])[],
  { targets = [], foot, compact = false }: TableExtras = {},
): Markup {
  const row = ([heading = '', ...cells]: readonly Cell[], target?: string): Markup =>
    html`<tr${target ? html` data-target="${target}"` : null}><th scope="row">${heading}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  const head = heads instanceof Markup ? heads : html`<tr>${columnHeads(heads)}</tr>`;
  return html`<div class="scroll"><table class="numbers${compact ? ' compact' : null}"><thead>${head}</thead><tbody>${rows.map((cells, index) => row(cells, targets[index]))}</tbody>${foot ? html`<tfoot>${row(foot)}</tfoot>` : null}</table></div>`;
}

export function columnHeads(heads: readonly string[]): Markup[] {
  return heads.map((head) => html`<th scope="col">${head}</th>`);
}

/** Label → value, for settings and provenance. Long hashes break anywhere. */
export function recordTable(entries: Readonly<Record<string, string | Markup>>): Markup {
  const rows = Object.entries(entries).map(
    ([label, value]) => html`<tr><th scope="row">${label}</th><td class="value">${value}</td></tr>`,
  );
  return html`<table class="record"><tbody>${rows}</tbody></table>`;
}

/** The recipe as resolved: one row for each top-level setting, nested ones as indented JSON. */
export function settingsTable(settings: unknown): Markup {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    return html`<pre>${prettyJson(settings)}</pre>`;
  }
  const rows = Object.entries(settings).map(([label, value]: [string, unknown]) => {
    if (typeof value === 'string') return [label, value];
    const text = prettyJson(value);
    return [label, typeof value === 'object' && value !== null ? html`<pre>${text}</pre>` : text];
  });
  return recordTable(Object.fromEntries(rows));
}

/**
 * JSON with two spaces, lists of plain values on one line; what JSON has no word for (undefined, NaN) in
 * JavaScript's own spelling.
 */
function prettyJson(value: unknown, indent = ''): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => prettyJson(item, deeper));
    const isPlain = value.every((item) => typeof item !== 'object' || item === null);
    if (isPlain) return `[${items.join(', ')}]`;
    return `[\n${items.map((item) => deeper + item).join(',\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]: [string, unknown]) => `${deeper}${JSON.stringify(key)}: ${prettyJson(member, deeper)}`,
    );
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
