/** Offsets in a source; `end` is exclusive. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Finds all occurrences of code in a source, in any layout. It ignores white space, and a comma
 * before a closing bracket.
 */
export function findCode(source: string, code: string): Span[] {
  const parts = Array.from(code.replace(/\s+/g, "").replace(/,(?=[)\]}])/g, ""), toPattern);
  const pattern = new RegExp(parts.join("\\s*"), "g");
  return Array.from(source.matchAll(pattern), ({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }));
}

function toPattern(character: string): string {
  const literal = character.replace(/[^\w]/g, "\\$&");
  return /[)\]}]/.test(character) ? `,?\\s*${literal}` : literal;
}
