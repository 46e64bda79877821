import { html } from 'hono/html';

/** What of an OpenAPI document the page shows. */
interface ShownDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: object;
}

type Contents = Readonly<Record<string, { readonly schema?: unknown }>>;

interface ShownOperation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: { readonly description?: string };
  }[];
  readonly requestBody?: { readonly content?: Contents };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: Contents }>
  >;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Html = ReturnType<typeof html>;

/** The API's description as a page without scripts, made of its OpenAPI document. */
export function apiDocs({ info, paths = {} }: ShownDocument): Html {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = (item as Record<string, ShownOperation | undefined>)[method];
      return operation ? [shownOperation(method, path, operation)] : [];
    }),
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: API</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<main class="docs">
<h1>${info.title} API</h1>
<p>${info.description ?? ''} Version ${info.version}. The same for programs: <a href="/api/openapi.json">/api/openapi.json</a>.</p>
${operations}
</main>
</body>
</html>`;
}

function shownOperation(
  method: string,
  path: string,
  { summary, description, parameters = [], requestBody, responses = {} }: ShownOperation,
): Html {
  const rows = parameters.map(
    ({ name, in: place, required, schema }) => html`<tr>
<td><code>${name}</code></td><td>${place}${required ? ', required' : ''}</td><td>${schema?.description ?? ''}</td>
</tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, response]) => html`<p><code>${status}</code> ${response.description ?? ''}</p>
${status.startsWith('2') ? shownContents('Answer', response.content) : ''}`,
  );
  return html`<details>
<summary><code class="method">${method.toUpperCase()}</code> <code>${path}</code> <span>${summary ?? ''}</span></summary>
<p>${description ?? ''}</p>
${rows.length === 0 ? '' : html`<table><tbody>${rows}</tbody></table>`}
${shownContents('Send', requestBody?.content)}
${answers}
</details>`;
}

const shownContents = (title: string, contents: Contents = {}): Html[] =>
  Object.entries(contents).map(
    ([type, { schema }]) =>
      html`<p>${title}: <code>${type}</code></p><pre>${JSON.stringify(schema, null, 1)}</pre>`,
  );
