import { randomBytes } from "node:crypto";

/** The test run's Redis, and a prefix of one's own in it. */
export function testRedis(): { url: string; prefix: string } {
  const url = process.env["TEST_REDIS_URL"];
  if (!url) throw new Error("Run the tests with npm test, which starts Redis for them");
  return { url, prefix: `{test-${randomBytes(6).toString("hex")}}` };
}
