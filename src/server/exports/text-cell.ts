/** Text as a cell: what begins a formula where a spreadsheet separates cells by semicolons has the mark of text there too. */
export const textCell = (text: string): string => text.replaceAll(/;(?=\s*[=+\-@])/g, ";'");
