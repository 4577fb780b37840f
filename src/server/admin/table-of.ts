import { html, type Html } from "./html.js";

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
    return html`<td class="${isNumber[i] ? "number" : textClass}">${value.length <= LONG ? value : opened(value)}</td>`;
  }
  return html`<div class="wide" tabindex="0"><table>
<thead><tr>${columns.map(({ name, type }, i) => html`<th class="${isNumber[i] ? "number" : ""}">${name}<small>${type}</small></th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>`;
}

function opened(value: string): Html {
  return html`<details><summary>${[...value].slice(0, SHOWN).join("")}…</summary>${value}</details>`;
}
