import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { html, render } from "../../../../src/server/admin/page.js";

describe("a page template", () => {
  it("escapes every value, in text and in attributes", () => {
    const evil = `"><script>alert('x')</script>&amp;`;
    const escaped = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;";
    assert.equal(
      render(html`<a title="${evil}">${evil}</a>`),
      `<a title="${escaped}">${escaped}</a>`,
    );
  });

  it("keeps nested templates unescaped, joins lists, and omits empty values", () => {
    assert.equal(
      render(html`${[html`<b>${"<"}</b>`, "&", 0]}${null}${undefined}${false}${""}`),
      "<b>&lt;</b>&amp;0",
    );
  });

  it("rejects data that imitates markup", () => {
    const forged = JSON.parse('{"markup":"<b>"}') as never;
    assert.throws(() => render(html`${forged}`), TypeError);
  });
});
