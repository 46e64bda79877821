import type { Command } from 'commander';
import { UsageError } from '../ground/errors.ts';
import { requireFrameArea } from '../pasture/units.ts';

/**
 * A number of an option, with a decimal point or comma; NaN where it is none, or where a comma may as well stand between
 * thousands (`1,234`).
 */
export function optionNumber(text: string): number {
  const written = text.trim();
  if (/^[+-]?[1-9]\d{0,2},\d{3}$/.test(written) || written === '') return Number.NaN;
  return Number(/^[+-]?\d*,\d+$/.test(written) ? written.replace(',', '.') : written);
}

/** What is added where a comma leaves open what a number is. */
const aboutComma = (text: string): string => (text.includes(',') ? ', with a decimal point, as 1.5' : '');

/** Adds one command to the program. */
export type CommandRegistrar = (program: Command) => void;

/** Parses a whole number option. @throws UsageError naming the option */
export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    const value = optionNumber(text);
    if (Number.isSafeInteger(value)) return value;
    throw new UsageError(`${option} ${text}: give a whole number`);
  };
}

/** Parses a positive number option. @throws UsageError naming the option */
export function positiveNumber(option: string): (text: string) => number {
  return (text) => {
    const value = optionNumber(text);
    if (Number.isFinite(value) && value > 0) return value;
    throw new UsageError(`${option} ${text}: give a number above 0${aboutComma(text)}`);
  };
}

/** Parses a share, `0.15` or `15%`, between 0 and 1. @throws UsageError naming the option */
export function share(option: string): (text: string) => number {
  return (text) => {
    const isPercent = text.trim().endsWith('%');
    const number = optionNumber(isPercent ? text.trim().slice(0, -1).trim() : text);
    const value = isPercent ? number / 100 : number;
    if (value > 0 && value < 1) return value;
    const hint =
      value > 1 && value < 100 && !isPercent ? `; ${number} % is ${number / 100}, or ${number}%` : '';
    throw new UsageError(`${option} ${text}: give a share between 0 and 1${hint}${aboutComma(text)}`);
  };
}

/** Parses a number. @throws UsageError naming the option */
export function anyNumber(option: string): (text: string) => number {
  return (text) => {
    const value = optionNumber(text);
    if (Number.isFinite(value)) return value;
    throw new UsageError(`${option} ${text}: give a number${aboutComma(text)}`);
  };
}

/** Parses `--area`. @throws UsageError for what no frame has */
export function frameArea(text: string): number {
  const area = positiveNumber('--area')(text);
  requireFrameArea(area);
  return area;
}

/** Parses a whole number from 1 up. @throws UsageError naming the option */
export function positiveWhole(option: string): (text: string) => number {
  return (text) => {
    const value = wholeNumber(option)(text);
    if (value >= 1) return value;
    throw new UsageError(`${option} ${text}: give a whole number from 1 up`);
  };
}

/** Parses text of one form, as a scheduler writes it. @throws UsageError that shows the form */
export function formed(option: string, form: RegExp, example: string): (text: string) => string {
  return (text) => {
    if (form.test(text)) return text;
    throw new UsageError(`${option} ${JSON.stringify(text)}: write it as ${example}`);
  };
}

/** Adds `--overwrite` to a command that writes files. */
export function addOverwriteOption(command: Command): Command {
  return command.option('--overwrite', 'replace files that are there, also those that sward did not write');
}

/** Collects an option that may be given several times. */
export function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/**
 * Makes a command and those below it refuse an option with another value than it had before, which would silently take
 * the place of the first; but for those that collect values.
 */
export function requireGivenOnce(command: Command): void {
  for (const option of command.options) {
    const name = option.long ?? option.flags;
    const hasValue = option.required || option.optional;
    if (!hasValue || option.variadic || option.parseArg === collected) continue;
    let before: string | null | undefined;
    command.on(`option:${option.name()}`, (value: string | null) => {
      if (before !== undefined && before !== value) {
        throw new UsageError(
          `${name} is given twice (${before ?? 'alone'}, ${value ?? 'alone'}); give it once`,
        );
      }
      before = value;
    });
  }
  for (const child of command.commands) requireGivenOnce(child);
}

/** Parses seeds written as a range (`0-4`) or a list (`0,3,7`). @throws UsageError for anything else */
export function seedList(text: string): number[] {
  const range = /^(\d+)-(\d+)$/.exec(text.trim());
  const [first, last] = [Number(range?.[1]), Number(range?.[2])];
  if (range && last >= first && last - first < MOST_SEEDS) {
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }
  if (!range && /^\d+(,\d+)*$/.test(text.trim())) return text.split(',').map(Number);
  throw new UsageError(`--seeds ${text}: give seeds as 0-4 or 0,3,7, at most ${MOST_SEEDS}`);
}

/** A longer range is a slip of the keyboard. */
const MOST_SEEDS = 1000;
