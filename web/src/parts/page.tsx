import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageProps {
  readonly title: string;
  /** Where `back` leads; absent on the first screens. */
  readonly back?: string;
  readonly children: ComponentChildren;
}

/** A screen: its name above, what it shows below. Opening one puts the reader at its beginning. */
export function Page({ title, back, children }: PageProps) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} · sward`;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <header class="bar">
        {back !== undefined && (
          <a class="back" href={back} aria-label="Back">
            ‹
          </a>
        )}
        <h1>{title}</h1>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
