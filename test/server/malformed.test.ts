import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestServer } from './farm-server.ts';

const root = temporaryFolder('server-malformed');
let farm: TestServer;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly schema: unknown;
  readonly type: string | undefined;
}

let operations: Operation[];

beforeAll(async () => {
  farm = await startTestServer(join(root, 'farm'));
  const { paths, components } = await farm.json('/api/openapi.json', { as: null });
  const resolved = (schema: { $ref?: string } | undefined): unknown =>
    schema?.$ref ? components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
  operations = Object.entries(paths as Record<string, Record<string, never>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const { parameters = [], requestBody } = operation as {
        parameters?: Operation['parameters'];
        requestBody?: { content: Record<string, { schema?: { $ref?: string } }> };
      };
      const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
      return { method: method.toUpperCase(), path, parameters, schema: resolved(content?.schema), type };
    }),
  );
});

afterAll(() => farm.close());

/** What nearly fits a schema: right members with right, wrong or extreme values. */
function near(schema: unknown): fc.Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      null,
      '',
      '../../x',
      '\u0000',
      -1,
      1e308,
      'NaN',
      [],
      {},
      'x'.repeat(5000),
      '2026-13-45T99:00:00Z',
    ),
  );
  const known = schema as {
    type?: string | string[];
    properties?: Record<string, unknown>;
    items?: unknown;
    enum?: unknown[];
    const?: unknown;
    anyOf?: unknown[];
    oneOf?: unknown[];
    format?: string;
  };
  if (!known || typeof known !== 'object') return odd;
  const variants = known.anyOf ?? known.oneOf;
  if (variants) return fc.oneof({ weight: 5, arbitrary: fc.oneof(...variants.map(near)) }, odd);
  if (known.const !== undefined) return fc.oneof({ weight: 5, arbitrary: fc.constant(known.const) }, odd);
  if (known.enum) return fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...known.enum) }, odd);
  const right = (): fc.Arbitrary<unknown> => {
    switch ([known.type].flat()[0]) {
      case 'object':
        return fc.record(
          Object.fromEntries(
            Object.entries(known.properties ?? {}).map(([name, part]) => [name, near(part)]),
          ),
          {
            requiredKeys: [],
          },
        );
      case 'array':
        return fc.array(near(known.items), { maxLength: 4 });
      case 'number':
      case 'integer':
        return fc.oneof(fc.integer(), fc.double());
      case 'boolean':
        return fc.boolean();
      default:
        return known.format === 'uuid'
          ? fc.uuid()
          : known.format === 'date-time'
            ? fc.constant('2026-11-03T09:12:00+11:00')
            : fc.string();
    }
  };
  return fc.oneof({ weight: 6, arbitrary: right() }, odd);
}

const text = fc.oneof(
  fc.uuid(),
  fc.string(),
  fc.constantFrom('..', '%00', '%', '-1', 'null', '%E0%A4%A', 'é'.repeat(300), '1e999'),
);

describe('requests that do not fit the description', () => {
  it('are refused in words, and never are the server’s failure', { timeout: 280_000 }, async () => {
    expect(operations.length).toBeGreaterThan(30);
    const asked = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: operations.length - 1 }).chain((at) =>
          fc.record({
            operation: fc.constant(operations[at] as Operation),
            path: fc.array(text, { minLength: 1, maxLength: 1 }),
            queries: fc.dictionary(
              fc.constantFrom(...(operations[at]?.parameters.map(({ name }) => name) ?? []), 'limit', 'x'),
              text,
              { maxKeys: 6 },
            ),
            body: near((operations[at] as Operation).schema),
            type: fc.constantFrom(
              operations[at]?.type ?? 'application/json',
              'application/json',
              'text/plain',
              'multipart/form-data; boundary=x',
              '',
            ),
            broken: fc.boolean(),
          }),
        ),
        async ({ operation, path, queries, body, type, broken }) => {
          const { method } = operation;
          // Ends devices, this one among them.
          if (operation.path === '/api/devices/{id}') return;
          asked.add(`${method} ${operation.path}`);
          const address = operation.path.replace(
            /\{\w+\}/,
            () => encodeURIComponent(path[0] ?? '').replaceAll('.', '%2e') || 'x',
          );
          const sent = broken ? JSON.stringify(body)?.slice(1) : JSON.stringify(body);
          const answer = await farm.ask(`${address}?${new URLSearchParams(queries)}`, {
            method,
            headers: type === '' ? {} : { 'content-type': type },
            ...(method !== 'GET' && sent !== undefined && { raw: sent }),
            signal: AbortSignal.timeout(60_000),
          });
          const said = await answer.text();
          expect(answer.status, `${method} ${address} ${sent} ${said}`).toBeLessThan(500);
          if (answer.status >= 400) expect(JSON.parse(said).error.message).toMatch(/\S/);
        },
      ),
      { numRuns: 500, seed: 20_261_127 },
    );
    expect(asked.size).toBeGreaterThan(25);
    expect(farm.log.filter((line) => line.includes('"msg":"failure"'))).toEqual([]);
  });
});
