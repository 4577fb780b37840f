// The driver would ask each new connection for the types of arrays, and nothing catches the
// rejection when the connection is lost in that moment: it would end the process. PostgreSQL's own
// types have the same numbers everywhere.
import type { PostgresType } from "postgres";

type Element = string | number | boolean | null | Element[];

const asText = (text: string) => text;

/** How the elements of arrays are read, by the number of the array's type. */
const ELEMENTS: [oids: number[], parse: (text: string) => Element][] = [
  // bool
  [[1000], (text) => text === "t"],
  // int2, int4, oid, float4, float8
  [[1005, 1007, 1028, 1021, 1022], Number],
  // name, int8, text, varchar, uuid, jsonb
  [[1003, 1016, 1009, 1015, 2951, 3807], asText],
];

/** For the option `types` of the driver. */
export function arrayTypes(): Record<string, PostgresType> {
  const typeOf = (oid: number, parse: (text: string) => Element): PostgresType => ({
    to: oid,
    from: [oid],
    serialize: toLiteral,
    parse: (text: string) => parseArray(text, parse),
  });
  return Object.fromEntries(
    ELEMENTS.flatMap(([oids, parse]) => oids.map((oid) => [`array ${oid}`, typeOf(oid, parse)])),
  );
}

/** Quoted, whatever the type: PostgreSQL reads each element as its own. */
function toLiteral(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return `{${value.map(toLiteral).join()}}`;
  return `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

/** An array of one dimension, as PostgreSQL writes it. */
function parseArray(text: string, parse: (text: string) => Element): Element[] {
  const elements: Element[] = [];
  for (const [, quoted, plain = ""] of text
    .slice(1, -1)
    .matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)) {
    if (quoted !== undefined) elements.push(parse(quoted.replaceAll(/\\(.)/gs, "$1")));
    else elements.push(plain === "NULL" ? null : parse(plain));
  }
  return elements;
}
