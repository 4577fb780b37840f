import { randomBytes } from "node:crypto";

/** The Redis of this test run, with a new key prefix. */
export function testRedis(): { url: string; prefix: string } {
  const url = process.env["TEST_REDIS_URL"];
  if (!url) throw new Error("Run the tests with npm test, which starts Redis for them");
  return { url, prefix: `{test-${randomBytes(6).toString("hex")}}` };
}
