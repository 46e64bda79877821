/** A piece of HTML that is safe to put into a page as it stands. Made only by {@link html} and {@link trusted}. */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** What may stand in a template: text and numbers are escaped, markup is kept, nothing at all for null. */
export type MarkupPart = string | number | null | Markup | readonly Markup[];

/** Escapes the five characters that mean something in HTML text or attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Template tag that escapes everything put into it except {@link Markup}. */
export function html(strings: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  let source = strings[0] ?? '';
  parts.forEach((part, index) => {
    source += sourceOf(part) + (strings[index + 1] ?? '');
  });
  return new Markup(source);
}

/** Takes HTML that a serialiser wrote (an SVG element's `outerHTML`, a style sheet) without escaping it. */
export function trusted(source: string): Markup {
  return new Markup(source);
}

function sourceOf(part: MarkupPart): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.source;
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return part.map((piece) => piece.source).join('');
}
