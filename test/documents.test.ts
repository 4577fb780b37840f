// Links between the documents lead somewhere.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { anchorsOf, DOCUMENTS, proseOf } from "./support/asserts/read-documents.js";

interface Link {
  document: string;
  target: string;
}

const links: Link[] = DOCUMENTS.flatMap((document) =>
  [...proseOf(document).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({
    document,
    target,
  })),
).filter(({ target }) => !/^https?:/.test(target));

const fileOf = ({ document, target }: Link): string => {
  const [path = ""] = target.split("#");
  return path === "" ? document : join(dirname(document), path);
};
const describeLink = ({ document, target }: Link) => `${document}: ${target}`;

describe("the links of the documents", () => {
  it("lead to files and folders that exist", () => {
    assert.ok(links.length > 50, `only ${links.length} links were found`);
    assert.deepEqual(links.filter((link) => !existsSync(fileOf(link))).map(describeLink), []);
  });

  it("lead to headings that exist", () => {
    const withAnchor = links.filter(({ target }) => target.includes("#"));
    assert.ok(withAnchor.length > 5, `only ${withAnchor.length} were found`);
    const broken = withAnchor.filter((link) => {
      const [, anchor = ""] = link.target.split("#");
      return !fileOf(link).endsWith(".md") || !anchorsOf(fileOf(link)).has(anchor);
    });
    assert.deepEqual(broken.map(describeLink), []);
  });

  it("reach every document from README.md", () => {
    const reached = new Set(["README.md"]);
    for (const document of reached) {
      for (const link of links.filter((each) => each.document === document)) {
        const file = fileOf(link);
        for (const path of [file, join(file, "README.md")])
          if (DOCUMENTS.includes(path)) reached.add(path);
      }
    }
    const isTemplate = (path: string) => /TEMPLATE/i.test(path);
    assert.deepEqual(
      DOCUMENTS.filter((path) => !reached.has(path) && !isTemplate(path)),
      [],
    );
  });
});
