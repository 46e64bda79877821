import { z } from 'zod';

/** A number as forms and addresses have it, as text. Empty text is no number, where JavaScript has it be 0. */
export const TextNumber = z.preprocess(
  (text) => (typeof text === 'string' && text.trim() === '' ? Number.NaN : text),
  z.coerce.number('give a number'),
);
