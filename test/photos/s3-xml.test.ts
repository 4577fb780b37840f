import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseS3Listing } from "../../src/photos/s3-xml.js";

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult ' +
  'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>';

describe("a listing of S3", () => {
  it("contains keys and times, with every escape decoded once", () => {
    const entries = [
      "<Contents><Key>a&amp;amp;&lt;&gt;&quot;&apos;&#39;&#x1F304;&unknown;</Key>" +
        "<LastModified>2026-11-24T12:00:00.000Z</LastModified><Size>1</Size>" +
        "<Owner><ID>x</ID></Owner></Contents>",
      "<Contents>\n  <Key>b</Key>\n  " +
        "<LastModified>2026-11-24T12:00:01Z</LastModified>\n</Contents>",
    ];
    assert.deepEqual(
      parseS3Listing(
        `${HEAD}<IsTruncated>false</IsTruncated>${entries.join("\n")}</ListBucketResult>`,
      ),
      {
        entries: [
          { key: "a&amp;<>\"''🌄&unknown;", modifiedAt: new Date("2026-11-24T12:00:00Z") },
          { key: "b", modifiedAt: new Date("2026-11-24T12:00:01Z") },
        ],
        next: null,
      },
    );
  });

  it("with further pages contains the token of the next page", () => {
    assert.equal(
      parseS3Listing(
        `${HEAD}<IsTruncated>true</IsTruncated>` +
          "<NextContinuationToken>a/b+c=&amp;</NextContinuationToken></ListBucketResult>",
      ).next,
      "a/b+c=&",
    );
  });

  it("of an empty bucket is empty", () =>
    assert.deepEqual(
      parseS3Listing(
        `${HEAD}<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>`,
      ),
      { entries: [], next: null },
    ));

  it("without a readable time has an invalid date, so that no file counts as old", () =>
    assert.ok(
      Number.isNaN(
        parseS3Listing("<Contents><Key>a</Key></Contents>").entries[0]?.modifiedAt.getTime(),
      ),
    ));
});
