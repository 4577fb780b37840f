const MARKUP = Symbol("markup");

/**
 * Markup that is safe to send: made by `html` alone, so that no text from outside can pass for it.
 */
export interface Html {
  readonly [MARKUP]: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

/**
 * A template whose values are escaped, wherever they stand, unless `html` made them; lists are
 * joined, and null, undefined and false are nothing. Attributes must be in double quotes.
 */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return { [MARKUP]: parts.reduce((text, part, i) => text + markupOf(values[i - 1]) + part) };
}

/** As it is sent. */
export function render(page: Html): string {
  return page[MARKUP];
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function markupOf(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string" || typeof value === "number")
    return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  return MARKUP in value ? value[MARKUP] : value.map(markupOf).join("");
}
