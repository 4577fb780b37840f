// Reads and measures the sources for the architecture tests.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseSource, walk, type SyntaxNode } from "../../mutants/syntax.js";

interface Source {
  /** Path below src/, e.g. `services/users.ts`. */
  path: string;
  text: string;
  imports: string[];
}

/** The sources of the service, with their imports. */
export const sources: Source[] = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => {
    const text = readFileSync(join("src", path), "utf8");
    return {
      path,
      text,
      imports: [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
        ([, name = ""]) => name,
      ),
    };
  });

/** The first folder of a path below src/. */
export const roomOf = (path: string) => path.split("/")[0] ?? "";
/** The path below src/ that a relative import of a source names. */
export const resolveImport = (from: string, name: string) => {
  const path = relative("src", join("src", dirname(from), name)).replace(/\.js$/, ".ts");
  return existsSync(join("src", `${path}x`)) ? `${path}x` : path;
};

/** All compiled source files that are not generated, and style sheets. */
export const checkedFiles = ["src", "test", "examples", "bench", "client/src", "client/build"]
  .flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: "utf8" }).map((path) => join(root, path)),
  )
  .filter((path) => /\.(tsx?|css)$/.test(path) && !/node_modules|\/generated\//.test(path));

export function libraryOf(name: string): string {
  return name.startsWith("@")
    ? name.split("/").slice(0, 2).join("/")
    : (name.split("/")[0] ?? name);
}

/** Static imports. Dynamic imports are left out, because they load only when the work begins. */
export function firstImports(text: string): string[] {
  return [...text.matchAll(/^(?:import|export) (?:[^"]*? from )?"([^"]+)"/gm)].map(
    ([, name = ""]) => name,
  );
}

/** Static imports without type imports, which do not exist at run time. */
function valueImports(text: string): string[] {
  return [...text.matchAll(/^(?:import|export) (?!type )(?:[^"]*? from )?"([^"]+)"/gm)].map(
    ([, name = ""]) => name,
  );
}

/** Number of files that importing the entries loads, and the libraries they need. */
export function loadedBy(...entries: string[]): { files: number; libraries: string[] } {
  const reached = new Set<string>();
  const libraries = new Set<string>();
  const reach = (path: string): void => {
    const source = sources.find((candidate) => candidate.path === path);
    if (!source || reached.has(path)) return;
    reached.add(path);
    for (const name of valueImports(source.text)) {
      if (name.startsWith(".")) reach(resolveImport(path, name));
      else libraries.add(libraryOf(name));
    }
  };
  for (const entry of entries) reach(entry);
  return { files: reached.size, libraries: [...libraries] };
}

export function countLines(text: string): number {
  return text.trimEnd().split("\n").length;
}

/**
 * Functions with more than `maxLines` lines, including nested ones. The callbacks of `describe`,
 * `it` and `test` may have any length.
 */
export function longFunctionsIn(path: string, text: string, maxLines: number): string[] {
  const faults: string[] = [];
  const isSuite = (node?: SyntaxNode) =>
    node?.type === "CallExpression" && /^(describe|it|test)\b/.test(text.slice(node.start));
  walk(parseSource(path, text), {
    skip: () => false,
    visit(node, [parent]) {
      if (!/^(Function|ArrowFunction)/.test(node.type) || isSuite(parent)) return;
      const lines = countLines(text.slice(node.start, node.end));
      const [head = ""] = text.slice(node.start, node.start + 50).split("\n");
      if (lines > maxLines) faults.push(`${path}: ${lines} lines from ${head}`);
    },
  });
  return faults;
}

export function filesWith(pattern: RegExp): string[] {
  return sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

export function findCycle(graph: Map<string, string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return null;
}
