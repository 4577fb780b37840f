/**
 * Text of an untrusted file, made safe for JSON and PostgreSQL. It has no control characters (jsonb
 * rejects NUL), no lone surrogates, no surrounding blanks, and at most `longest` characters. Null
 * when nothing is left.
 */
export function cleanText(text: string, longest = 500): string | null {
  const printable = text.replace(/[\p{Cc}\p{Cs}]+/gu, " ").trim();
  const cut = Array.from(printable.slice(0, 2 * longest))
    .slice(0, longest)
    .join("");
  return cut.replace(/\p{Cs}/gu, "").trim() || null;
}
