/** A message without what it advises on the command line, which those who ask the server have not got. */
export function withoutOptions(message: string): string {
  const parts = message
    .replaceAll(/,? or (?:pass|give|use) --[a-z][^;]*/g, '')
    .split('; ')
    .filter((part) => !/(^|\s)--[a-z]/.test(part));
  return parts.length > 0 ? parts.join('; ') : message;
}
