import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageProps {
  readonly title: string;
  /** Where `back` leads; absent on the first screens. */
  readonly back?: string;
  /** Where it leads on a phone alone, of screens that a desk has in its bar. */
  readonly phoneBack?: string;
  readonly children: ComponentChildren;
}

/** A screen: its name above, what it shows below. Opening one puts the reader at its beginning. */
export function Page({ title, back, phoneBack, children }: PageProps) {
  const main = useRef<HTMLElement>(null);
  const to = back ?? phoneBack;
  useEffect(() => {
    document.title = `${title} · sward`;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <header class="bar">
        {to !== undefined && (
          <a class={back === undefined ? 'back phone-only' : 'back'} href={to} aria-label="Back">
            ‹
          </a>
        )}
        <h1 title={title}>{title}</h1>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
