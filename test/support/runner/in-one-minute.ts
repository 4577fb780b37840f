/**
 * Requests are counted by the minute of the clock: a test that failed while the minute turned has
 * said nothing, and is run again.
 */
export function inOneMinute(test: () => Promise<void>): () => Promise<void> {
  const minute = () => Math.floor(Date.now() / 60_000);
  return async () => {
    for (;;) {
      const begun = minute();
      try {
        return await test();
      } catch (error) {
        if (minute() === begun) throw error;
      }
    }
  };
}
