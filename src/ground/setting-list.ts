import { z } from 'zod';

/** A setting as a person sees it. */
export interface Setting {
  /** Where it is, with dots; `[]` stands for a place in a list: `estimator.members[].weight`. */
  readonly path: string;
  /** What it says, in a few words. */
  readonly meaning: string;
  /** What it may be, in words: `a number above 0`. */
  readonly values: string;
  /** What it is where it is not written; undefined where the schema has no value of its own. */
  readonly standard?: unknown;
  /** The kinds of what it lies in that have it; empty where all have. */
  readonly ofKinds: readonly KindOf[];
}

/** That something is of a kind: `{ path: 'reduction.kind', kind: 'pca' }`. */
export interface KindOf {
  readonly path: string;
  readonly kind: string;
}

/** A schema as zod writes it, as far as settings have need of it. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/**
 * Every setting of a schema, in its order, those of each kind of what comes in kinds. Meanings are what `describe` says
 * in the schema.
 */
export function settingsOf(schema: z.ZodType): readonly Setting[] {
  const known = LISTED.get(schema) ?? settingsIn(schema);
  LISTED.set(schema, known);
  return known;
}

/** What schemas were found to hold: they never change, and a large one takes a tenth of a second. */
const LISTED = new WeakMap<z.ZodType, readonly Setting[]>();

function settingsIn(schema: z.ZodType): Setting[] {
  const described = z.toJSONSchema(schema, {
    io: 'input',
    // Of what is made of another value first zod would leave the default out.
    override: ({ zodSchema: { _zod }, jsonSchema }) => {
      if (_zod.def.type === 'default') jsonSchema.default = _zod.def.defaultValue as never;
    },
  });
  return listed(described as Node, '', []);
}

function listed(node: Node, path: string, ofKinds: readonly KindOf[]): Setting[] {
  const kinds = kindsOf(node);
  if (kinds) {
    const at = `${path}.kind`;
    const { description = '' } = node;
    const values = `one of ${kinds.map(({ kind }) => kind).join(', ')}`;
    return [
      { path: at, meaning: description, values, ofKinds },
      ...kinds.flatMap(({ kind, properties: { kind: _, ...properties } }) =>
        listed({ properties }, path, [...ofKinds, { path: at, kind }]),
      ),
    ];
  }
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([name, inner]) =>
      listed(inner, path === '' ? name : `${path}.${name}`, ofKinds),
    );
  }
  const meaning = node.description ?? '';
  const own = { path, meaning, values: valuesOf(node), standard: node.default, ofKinds };
  const { items } = node;
  const isListOfSettings = items?.properties !== undefined || (items && kindsOf(items) !== null);
  return isListOfSettings ? [own, ...listed(items as Node, `${path}[]`, ofKinds)] : [own];
}

/** The kinds that something comes in, with the settings of each; null where it comes in one alone. */
function kindsOf({ oneOf, properties }: Node): { kind: string; properties: Record<string, Node> }[] | null {
  const options = oneOf ?? (properties?.kind?.const === undefined ? [] : [{ properties }]);
  const kinds = options.flatMap((option) => {
    const kind = option.properties?.kind?.const;
    return typeof kind === 'string' ? [{ kind, properties: { ...option.properties } }] : [];
  });
  return kinds.length > 0 && kinds.length === options.length ? kinds : null;
}

/** What a value may be, in words. */
function valuesOf(node: Node): string {
  const { anyOf, const: only, enum: among, type, items, prefixItems } = node;
  if (anyOf) return anyOf.map(valuesOf).join(', or ');
  if (only !== undefined) return String(only);
  if (among) return `one of ${among.join(', ')}`;
  if (prefixItems) return `${prefixItems.length} of: ${valuesOf(prefixItems[0] as Node)}`;
  if (type === 'array') return items ? `a list, each ${valuesOf(items)}` : 'a list';
  if (type === 'boolean') return 'true or false';
  if (type === 'null') return 'null';
  if (type === 'integer') return `a whole number${rangeOf(node)}`;
  if (type === 'number') return `a number${rangeOf(node)}`;
  if (type === 'object' || node.properties) return 'settings';
  return node.pattern === undefined ? 'a text' : `a text as ${exampleOf(node.pattern)}`;
}

/** Texts of a pattern are rare; each is shown by an example. */
const exampleOf = (pattern: string): string => (pattern.includes('~') ? '~512' : '17/23');

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Node): string {
  const ends = [
    ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? [`from ${minimum}`] : []),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? [`to ${maximum}`] : []),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  return ends.length > 0 ? ` ${ends.join(', ')}` : '';
}

/** The candidate that is written most like a word; nothing where none comes near. */
export function nearestTo(word: string, candidates: readonly string[]): string | undefined {
  const near = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.min(word.length, candidate.length) / 3));
  return near.sort((a, b) => a.edits - b.edits)[0]?.candidate;
}

/** Letters to put in, take out or exchange to make one word of the other (Levenshtein 1966). */
function editsBetween(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const own = [row];
    for (let column = 1; column <= b.length; column++) {
      const exchanged = (before[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      own.push(Math.min(exchanged, (before[column] ?? 0) + 1, (own[column - 1] ?? 0) + 1));
    }
    before = own;
  }
  return before[b.length] ?? 0;
}
