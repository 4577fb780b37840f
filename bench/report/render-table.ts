/** Renders a Markdown table aligned for a terminal, with the columns of `numbers` to the right. */
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
  const align = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return isNumber(column) ? cell.padStart(width) : cell.padEnd(width);
  };
  const line = (cells: readonly string[]) => `| ${cells.map(align).join(" | ")} |`;
  const dashes = widths.map((width, column) =>
    isNumber(column) ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2),
  );
  const rule = `|${dashes.join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
