import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { styleSheet, tokens } from "../../../src/server/admin/style-sheet.js";

const propertiesOf = (css: string): string[] =>
  [...css.matchAll(/^ +(--[\w-]+): (.+);$/gm)].map(([, name, value]) => `${name}: ${value}`);

it("the admin pages have the sizes and colours of the page", () => {
  const page = readFileSync("src/console/styles/tokens.css", "utf8");
  assert.deepEqual(propertiesOf(tokens), propertiesOf(page));
  assert.ok(propertiesOf(page).length > 20);
});

it("the style sheet of the admin pages uses no colour that is not defined", () => {
  const names = new Set(propertiesOf(tokens).map((property) => property.split(":")[0]));
  const used = [...styleSheet.matchAll(/var\((--[\w-]+)/g)].map(([, name = ""]) => name);
  assert.deepEqual(
    used.filter((name) => !names.has(name)),
    [],
  );
});
