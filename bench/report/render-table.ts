/** A table in Markdown, aligned for a terminal: the columns of `numbers` to the right. */
export function renderTable({
  head,
  rows,
  numbers,
}: {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  numbers: { from: number; to: number };
}): string {
  const isNumber = (column: number) => column >= numbers.from && column < numbers.to;
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    "| " +
    `${cells.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} ` +
    "|";
  const rule = `|${widths.map((width, column) => (isNumber(column) ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2))).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
