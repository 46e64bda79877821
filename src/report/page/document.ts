import { html, Markup } from './markup.ts';

/** A part of the page with its own heading, reachable from the list of contents. */
export interface PageSection {
  /** Name of the anchor: letters and dashes. */
  readonly id: string;
  readonly heading: string;
  readonly body: Markup;
}

/**
 * Puts the sections that are there into one HTML document that needs nothing beside itself: no script, no file, no
 * network.
 */
export function pageDocument(title: string, lead: Markup, given: readonly (PageSection | null)[]): string {
  const sections = given.filter((section) => section !== null);
  const contents = sections.map(({ id, heading }) => html`<a href="#${id}">${heading}</a>`);
  const body = sections.map(
    ({ id, heading, body }) => html`<section id="${id}">
<h2>${heading}</h2>
${body}
</section>
`,
  );
  return html`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<meta name="generator" content="sward">
<title>${title}</title>
<style>${new Markup(STYLE_SHEET)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${lead}
</header>
<nav aria-label="Contents">${contents}</nav>
<main>
${body}</main>
</body>
</html>
`.source;
}

const STYLE_SHEET = `
:root { --ink: #1c2420; --quiet: #5a655f; --line: #d5dcd8; --wash: #f4f7f5; --accent: #1f6b45; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 20px 24px 48px; background: #fff; color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2em 0 .6em; padding-bottom: .25em; border-bottom: 2px solid var(--accent); }
h3 { font-size: .9rem; margin: 1.4em 0 .3em; }
p { margin: .5em 0 .9em; max-width: 46em; }
.quiet { color: var(--quiet); font-weight: normal; }
nav { display: flex; flex-wrap: wrap; gap: .2em 1.1em; margin: 1em 0 0; font-size: .9rem; }
nav a { color: var(--accent); padding: .2em 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 18px 0; }
.tile { border: 1px solid var(--line); border-top: 4px solid var(--accent); border-radius: 4px; padding: 10px 12px 12px; }
.tile .label { display: block; font-size: .85rem; color: var(--quiet); }
.tile .figure { display: block; font-size: 1.35rem; line-height: 1.3; white-space: nowrap; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile .note { display: block; font-size: .85rem; color: var(--quiet); line-height: 1.35; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 20px 24px;
  align-items: start; }
.stack { display: grid; gap: 20px; align-content: start; }
.beside { display: grid; grid-template-columns: minmax(0, 330px) minmax(0, 1fr); gap: 20px 24px; align-items: center; }
figure { margin: 0; min-width: 0; }
figcaption { overflow-wrap: anywhere; font-size: .9rem; line-height: 1.4; margin-bottom: .3em; }
.plot { display: block; width: 100%; height: auto; max-width: 460px; background: #fff;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.plot text, .plot tspan { white-space: pre; }
.legend { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3em 1.2em; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: .4em; }
.legend .plot { width: 16px; height: 16px; flex: none; }
.key { border: 1px solid var(--line); border-radius: 4px; padding: 12px 14px; font-size: .9rem; align-self: center; }
.key .legend { flex-direction: column; margin-bottom: .6em; }
.key p { margin: .4em 0 0; }
.scroll { overflow-x: auto; max-width: 100%; background-repeat: no-repeat; background-attachment: local, local, scroll, scroll;
  background-image: linear-gradient(to right, #fff 30%, transparent), linear-gradient(to left, #fff 30%, transparent),
    linear-gradient(to right, #0003, transparent), linear-gradient(to left, #0003, transparent);
  background-position: left, right, left, right; background-size: 2.5rem 100%, 2.5rem 100%, .6rem 100%, .6rem 100%; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
.numbers { min-width: 34em; }
.numbers th, .numbers td { padding: .34em .55em; text-align: right; border-bottom: 1px solid var(--line); }
.numbers thead th { font-size: .82rem; line-height: 1.25; color: var(--quiet); vertical-align: bottom;
  border-bottom: 2px solid var(--line); font-weight: 600; }
.numbers th:first-child { text-align: left; padding-left: 0; overflow-wrap: break-word; min-width: 6em; }
.numbers tbody th { font-weight: 600; }
.numbers tfoot th, .numbers tfoot td { border-top: 2px solid var(--ink); border-bottom: 0; }
.compact { min-width: 0; width: 100%; font-size: .85rem; }
.compact th, .compact td { padding: .3em .3em; }
.compact th:first-child { min-width: 0; }
.record { width: 100%; table-layout: fixed; }
.record th, .record td { padding: .34em .7em .34em 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.record th { width: 15em; font-weight: 600; }
.record .value, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .84rem; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: .6em 0; }
summary { cursor: pointer; color: var(--accent); padding: .3em 0; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); gap: 20px; }
.photo { border: 1px solid var(--line); border-radius: 4px; padding: 10px; }
.photo img { display: block; width: 100%; height: auto; max-height: 480px; object-fit: contain; background: var(--wash); }
.photo figcaption { margin: .5em 0 .4em; }
.photo .id { display: block; overflow-wrap: anywhere; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(140px, 45%), 1fr)); gap: 12px; }
.sample img { display: block; width: 100%; height: auto; }
.sample figcaption { margin: .3em 0 0; font-size: .8rem; }
.placeholder { display: grid; place-items: center; aspect-ratio: 2 / 1; padding: 1em; text-align: center;
  border: 1px dashed #8a958f; background: var(--wash); color: var(--quiet); font-size: .9rem; }
.pairs { width: 100%; font-size: .88rem; }
.pairs th, .pairs td { padding: .1em .2em; text-align: right; }
.pairs thead th { font-weight: normal; color: var(--quiet); font-size: .8rem; }
.pairs tbody th { text-align: left; font-weight: normal; }
.pairs .arrow { text-align: center; color: var(--quiet); }
.pairs tbody tr:last-child { font-weight: 650; }
.pairs tbody tr:last-child th { font-weight: 650; }
@media (max-width: 700px) {
  body { padding: 14px 16px 36px; }
  h1 { font-size: 1.4rem; }
  .beside { grid-template-columns: minmax(0, 1fr); }
  .record th { width: 36%; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: 8px 10px; }
  .tile .figure { font-size: 1.15rem; }
  .numbers th:first-child { position: sticky; left: 0; background: #fff; }
}
@page { size: A4; margin: 14mm 13mm; }
@media print {
  :root { --ink: #000; --quiet: #333; --line: #999; --wash: #fff; --accent: #000; font-size: 9.5pt; }
  body { max-width: none; padding: 0; font-size: 1rem; color: #000; background: #fff; }
  nav, details:not([open]) { display: none; }
  summary { list-style: none; }
  h2 { margin-top: 1.4em; break-after: avoid; }
  h3, h2 + p { break-after: avoid; }
  p { max-width: none; orphans: 3; widows: 3; }
  figure, .tile, .key, .plot, .scroll, tr { break-inside: avoid; }
  .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 20px; }
  .figures .plot { max-width: 285px; }
  .residuals .plot, .curve .plot { max-width: 330px; }
  #worst-photos { break-before: page; }
  .photos { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 8px; }
  .photo { padding: 6px; }
  .pairs { font-size: .82rem; }
  .pairs th, .pairs td { padding: 0 .1em; }
  .pairs tr > .quiet:last-child { display: none; }
  .beside { grid-template-columns: minmax(0, 1fr); gap: 6px; }
  .beside .plot { max-width: 320px; }
  .scroll { overflow: visible; background-image: none; }
  .numbers { min-width: 0; font-size: .9rem; }
  .numbers th, .numbers td { padding: .2em .45em; }
  .numbers tfoot { display: table-row-group; }
  .record th { width: 30%; }
  .record th, .record td { padding: .2em .6em .2em 0; }
  .plot { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
