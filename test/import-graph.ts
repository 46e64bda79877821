import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Names and those they import; every name is a key. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export interface Import {
  readonly file: string;
  readonly specifier: string;
}

/** The TypeScript files, with markup or without, of a folder and all below. */
export function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What a file imports or passes on, types included. */
export function importsOf(file: string, text: string = readFileSync(file, 'utf8')): Import[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => ({
    file,
    specifier,
  }));
}

/** Which files of a folder import which others of it, by their path in it with `/`. */
export function fileGraph(folder: string): Graph {
  const nameOf = (path: string): string => relative(folder, path).split(sep).join('/');
  return new Map(
    sources(folder).map((file) => {
      const own = importsOf(file).filter(({ specifier }) => specifier.startsWith('.'));
      return [nameOf(file), new Set(own.map(({ specifier }) => nameOf(join(dirname(file), specifier))))];
    }),
  );
}

/** The same imports between folders, none looked into deeper than `depth`; files of the top are `.`. */
export function folderGraph(files: Graph, depth: number): Graph {
  const folderOf = (file: string): string => file.split('/').slice(0, -1).slice(0, depth).join('/') || '.';
  const folders = new Map<string, Set<string>>();
  const importsOfFolder = (folder: string): Set<string> => {
    const known = folders.get(folder) ?? new Set();
    folders.set(folder, known);
    return known;
  };
  for (const [file, imported] of files) {
    const from = folderOf(file);
    importsOfFolder(from);
    for (const to of [...imported].map(folderOf)) {
      if (to !== from) importsOfFolder(from).add(to);
      importsOfFolder(to);
    }
  }
  return folders;
}

/** How many folders the deepest file lies in. */
export function depthOf(files: Graph): number {
  return Math.max(...[...files.keys()].map((file) => file.split('/').length - 1));
}

/**
 * Groups whose members all depend on each other (strongly connected components of more than one), each sorted.
 * Tarjan 1972.
 */
export function cyclesOf(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const earliest = new Map<string, number>();
  const open: string[] = [];
  const cycles: string[][] = [];
  const visit = (name: string): number => {
    const number = order.size;
    order.set(name, number);
    open.push(name);
    let reach = number;
    for (const next of graph.get(name) ?? []) {
      if (!order.has(next)) reach = Math.min(reach, visit(next));
      else if (open.includes(next)) reach = Math.min(reach, earliest.get(next) ?? order.get(next) ?? reach);
    }
    earliest.set(name, reach);
    if (reach === number) {
      const group = open.splice(open.indexOf(name));
      if (group.length > 1) cycles.push(group.sort());
    }
    return reach;
  };
  for (const name of graph.keys()) if (!order.has(name)) visit(name);
  return cycles;
}
