/**
 * Number of colour bits to write: 1 is none, 24 is true colour. FORCE_COLOR has priority over
 * NO_COLOR, and both over the kind of stream.
 */
export function colorDepthOf(
  out: Pick<NodeJS.WriteStream, "isTTY">,
  env: Readonly<Record<string, string | undefined>>,
): 1 | 4 | 8 | 24 {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return ({ "0": 1, false: 1, "2": 8, "3": 24 } as const)[forced] ?? 4;
  if (env["NO_COLOR"] || !out.isTTY || env["TERM"] === "dumb") return 1;
  return /^(truecolor|24bit)$/i.test(env["COLORTERM"] ?? "") ? 24 : 4;
}
