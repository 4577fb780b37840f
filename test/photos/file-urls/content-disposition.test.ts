import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contentDisposition } from "../../../src/photos/file-urls.js";

describe("the content disposition", () => {
  const NAMES: [name: string, header: string][] = [
    ["320w.webp", 'inline; filename="320w.webp"'],
    ["a b.png", "inline; filename*=UTF-8''a%20b.png"],
    ["Küste (1) 'x'*.png", "inline; filename*=UTF-8''K%C3%BCste%20%281%29%20%27x%27%2a.png"],
    ['a"; filename=b\r\nx: y', "inline; filename*=UTF-8''a%22%3B%20filename%3Db%0D%0Ax%3A%20y"],
  ];
  for (const [name, header] of NAMES)
    it(`of ${JSON.stringify(name)} contains only the name`, () =>
      assert.equal(contentDisposition(name), header));
});
