import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

import { typed } from './typed.ts';

export { typed };

interface NumberFieldProps {
  readonly label: string;
  readonly unit?: string;
  readonly value: string;
  readonly onValue: (text: string) => void;
  /** Told what was typed once the field is left. */
  readonly onDone?: (text: string) => void;
  readonly required?: boolean;
}

/** A number with its unit; what is typed stays as it was typed, and is said to be no number where it is none. */
export function NumberField({ label, unit, value, onValue, onDone, required = false }: NumberFieldProps) {
  const isNone = value.trim() !== '' && typed(value) === null;
  const problemId = useId();
  return (
    <label class="field">
      <span>
        {label}
        {unit !== undefined && <span class="unit">, {unit}</span>}
      </span>
      <input
        inputMode="decimal"
        autoComplete="off"
        value={value}
        required={required}
        aria-invalid={isNone}
        {...(isNone && { 'aria-describedby': problemId })}
        onInput={(event) => onValue(event.currentTarget.value)}
        onChange={(event) => onDone?.(event.currentTarget.value)}
      />
      {isNone && (
        <span class="bad" id={problemId} role="status">
          “{value.trim()}” is not a number.
        </span>
      )}
    </label>
  );
}

/** When something was done, by this device's clock; empty: now. */
export function TimeField({
  value,
  onValue,
}: {
  readonly value: string;
  readonly onValue: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>
        When<span class="unit">, now if left empty</span>
      </span>
      <input type="datetime-local" value={value} onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (text: string) => void;
  readonly class?: string;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly required?: boolean;
}

/** A line of words; nothing is proposed that was typed elsewhere. */
export function TextField({ label, onValue, ...rest }: TextFieldProps) {
  const { class: place = '', ...input } = rest;
  return (
    <label class={`field ${place}`}>
      {label}
      <input {...input} autoComplete="off" onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}

interface ChoicesProps<Value extends string> {
  readonly legend: string;
  readonly choices: Readonly<Record<Value, string>>;
  readonly value: Value | null;
  readonly onValue: (value: Value) => void;
}

/** One of a few, all in sight. */
export function Choices<Value extends string>({ legend, choices, value, onValue }: ChoicesProps<Value>) {
  const name = useId();
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div class="choices">
        {(Object.entries(choices) as [Value, string][]).map(([choice, words]) => (
          <label key={choice}>
            <input type="radio" name={name} checked={choice === value} onChange={() => onValue(choice)} />
            {words}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface FileButtonProps {
  readonly children: ComponentChildren;
  readonly accept: string;
  readonly class?: string;
  readonly capture?: 'environment';
  readonly multiple?: boolean;
  readonly onOpen?: () => void;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that asks for files, as the system asks for them. */
export function FileButton({
  children,
  accept,
  capture,
  multiple = false,
  onOpen,
  onFiles,
  ...rest
}: FileButtonProps) {
  return (
    <label class={`button ${rest.class ?? ''}`}>
      <input
        type="file"
        accept={accept}
        multiple={multiple}
        {...(capture && { capture })}
        onClick={() => onOpen?.()}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          // The same file may be chosen again.
          event.currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
      {children}
    </label>
  );
}

interface NumberPadProps {
  readonly value: string;
  readonly onValue: (text: string) => void;
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '0', '⌫'] as const;

/** Digits for a thumb. What is typed on a keyboard goes into the field beside it. */
export function NumberPad({ value, onValue }: NumberPadProps) {
  const press = (key: string): void => {
    if (key === '⌫') onValue(value.slice(0, -1));
    else if (key !== '.' || !value.includes('.')) onValue(value + key);
  };
  return (
    <div class="pad">
      {KEYS.map((key) => (
        <button
          type="button"
          key={key}
          aria-label={key === '⌫' ? 'delete the last digit' : key}
          onClick={() => press(key)}
        >
          {key}
        </button>
      ))}
    </div>
  );
}
