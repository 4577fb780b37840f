/**
 * Text out of a stranger's file, fit for JSON and PostgreSQL: no control characters (jsonb refuses
 * NUL), no halves of characters, no blanks around, at most `longest` characters. Null when nothing
 * is left.
 */
export function cleanText(text: string, longest = 500): string | null {
  const printable = text.replace(/[\p{Cc}\p{Cs}]+/gu, " ").trim();
  const cut = Array.from(printable.slice(0, 2 * longest))
    .slice(0, longest)
    .join("");
  return cut.replace(/\p{Cs}/gu, "").trim() || null;
}
