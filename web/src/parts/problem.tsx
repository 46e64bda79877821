/** What went wrong, where something did. */
export function Problem({ of }: { readonly of: string | null }) {
  if (of === null) return null;
  return (
    <p class="warn" role="alert">
      {of}
    </p>
  );
}
