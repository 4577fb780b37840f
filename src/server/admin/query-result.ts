import { html, wideTable, type Html } from "./page.js";

/** Characters that stand in one line: an id, an instant, an address. */
const SHORT = 40;
/**
 * Of more a cell shows the beginning, and the rest when it is opened: one long value would push all
 * other rows away.
 */
const LONG = 160;
const SHOWN = 80;
const NUMBERS = /^(smallint|integer|bigint|numeric|real|double precision)/;

/** A result as a table; what is null and what is the empty text look different. */
export function tableOf(
  columns: readonly { name: string; type: string }[],
  rows: readonly (readonly (string | null)[])[],
): Html {
  const isNumber = columns.map(({ type }) => NUMBERS.test(type));
  function cell(value: string | null, i: number): Html {
    if (value === null) return html`<td class="null">null</td>`;
    const textClass = value.length <= SHORT ? "short" : "cell";
    const text = value.length <= LONG ? value : opened(value);
    return html`<td class="${isNumber[i] ? "number" : textClass}">${text}</td>`;
  }
  const heads = columns.map(
    ({ name, type }, i) =>
      html`<th class="${isNumber[i] ? "number" : ""}">${name}<small>${type}</small></th>`,
  );
  return wideTable(
    html`${heads}`,
    rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`),
  );
}

function opened(value: string): Html {
  const beginning = [...value].slice(0, SHOWN).join("");
  return html`<details><summary>${beginning}…</summary>${value}</details>`;
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function toCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): string {
  return [columns, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(value: string | null): string {
  if (value === null) return "";
  const isFormula = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
  const text = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
