import { InputError } from '../../ground/errors.ts';

/** Longest part of a stored name that a message quotes. */
const SHOWN_CHARACTERS = 80;
/** Most axes of a shape that a message lists. */
const SHOWN_AXES = 8;

const FETCH_AGAIN = 'the file is damaged or incomplete: download or write it again';

/** A name from a file, quoted for a one-line message and {@link spelledOut}. */
export const quoted = (name: string): string => `"${spelledOut(name)}"`;

/**
 * A name from a file for a one-line message: shortened, and with line breaks, terminal escapes and other invisible
 * characters spelled out, since the file may be hostile.
 */
export function spelledOut(name: string): string {
  const shown = name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name;
  return shown.replace(
    /[\p{C}\p{Zl}\p{Zp}"\\]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** `[2, 3]`, shortened where there are many axes. */
export function shownShape(shape: readonly number[]): string {
  const axes = shape.slice(0, SHOWN_AXES).join(', ');
  return shape.length > SHOWN_AXES ? `[${axes}, … ${shape.length} axes]` : `[${axes}]`;
}

/** The error when bytes are missing, surplus or contradict each other. */
export const damaged = (where: string, what: string): InputError => new InputError(where, what, FETCH_AGAIN);

/** An {@link InputError} about one tensor of a file, which is damaged if nothing else is said. */
export function tensorError(path: string, name: string, what: string, remedy = FETCH_AGAIN): InputError {
  return new InputError(`${path} tensor ${quoted(name)}`, what, remedy);
}
