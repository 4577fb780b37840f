// Node does this by itself with --enable-source-maps, but then reads the map of every module when
// that is loaded, those of the libraries, too: a tenth of the time and of the memory of a start,
// for lines that are seldom written.
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";

const FRAME = /(file:\/\/\/(?:(?!\/node_modules\/)[^\s()])+\.js):(\d+):(\d+)/g;

const maps = new Map<string, SourceMap | null>();

/**
 * A stack with the files and lines of the sources in place of those that were compiled from them;
 * what has no map stays as it is.
 */
export function inSourceLines(stack: string): string {
  return stack.replace(FRAME, (frame, url: string, line: string, column: string) => {
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!entry || !("originalSource" in entry)) return frame;
    const { originalSource, originalLine, originalColumn } = entry;
    return `${new URL(originalSource, url).href}:${originalLine + 1}:${originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | null {
  let map = maps.get(url);
  if (map === undefined) maps.set(url, (map = readMap(url)));
  return map;
}

function readMap(url: string): SourceMap | null {
  try {
    return new SourceMap(
      JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")) as SourceMapPayload,
    );
  } catch {
    return null;
  }
}
