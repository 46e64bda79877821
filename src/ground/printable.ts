/**
 * What a terminal obeys instead of showing it: control characters (escape codes begin with one), marks that turn the
 * direction of what follows (Unicode Standard Annex 9), separators of lines, and halves of surrogate pairs.
 */
const OBEYED = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** What people write for the usual ones. */
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (character: string): string =>
  SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text of somebody else's, as a name or a cell, as one line that a terminal shows and does not obey: `a\u001b[2Jb`. */
export const printable = (text: string): string => text.replace(OBEYED, escaped);

/** As {@link printable} for text of several lines, whose line feeds stay. JSON stays the same JSON. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Text of somebody else's as one line of Markdown that stays text: no HTML, link, code or table comes of it. */
export const markdownText = (text: string): string => printable(text).replace(/[\\`<>[\]|]/g, '\\$&');
