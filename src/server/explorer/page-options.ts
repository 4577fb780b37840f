import { EXAMPLE_OPERATIONS } from "./example-operations.js";

/**
 * What a page's script is told, as JSON in the page: in a script it could be read from any other
 * origin.
 */
export function pageOptions(token: string | null): string {
  const options = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    operations: EXAMPLE_OPERATIONS,
  };
  return (
    `<script type="application/json" ` +
    `id="options">${JSON.stringify(options).replaceAll("<", "\\u003c")}</script>`
  );
}
