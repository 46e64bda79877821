import type { PortableModel } from '../../portable/model.ts';

/** `README.md` of an export for browsers: what it is, where it comes from, and under which licences it may be passed on. */
export function portableCard({ run, precision, sward }: PortableModel): string {
  const { name, fingerprint, photos, sessions, about, licences } = run;
  return `# ${name}, for the app

Written by \`sward export --target browser\` (sward ${sward}, ${precision}): \`model.json\` and the pieces it names, each with its
SHA-256. The app fetches them once and then answers without a network.

- run: ${name}, fingerprint ${fingerprint}
- trained on ${photos} photos; intervals from ${sessions} visits
${[
  ...(about ? [about.what, `licence: ${about.licence}`, about.attribution] : []),
  ...licences.map((note) => `backbone: ${note}`),
]
  .map((line) => `- ${line}\n`)
  .join('')}`;
}
