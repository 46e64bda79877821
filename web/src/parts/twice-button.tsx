import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface TwiceButtonProps {
  readonly children: ComponentChildren;
  /** What is asked before it is done. */
  readonly sure: string;
  readonly onSure: () => void;
}

/** A button for what cannot be undone: it is pressed twice, the second time where it says what is lost. */
export function TwiceButton({ children, sure, onSure }: TwiceButtonProps) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" onClick={() => setAsking(true)}>
        {children}
      </button>
    );
  }
  return (
    <fieldset class="row">
      <p class="grow bad">{sure}</p>
      <button type="button" onClick={() => setAsking(false)}>
        Keep it
      </button>
      <button type="button" class="main" onClick={onSure}>
        {children}
      </button>
    </fieldset>
  );
}
