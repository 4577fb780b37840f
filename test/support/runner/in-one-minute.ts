/**
 * Repeats a test that failed across a change of the minute. Requests are counted per clock minute,
 * so such a failure means nothing.
 */
export function inOneMinute(test: () => Promise<void>): () => Promise<void> {
  const minute = () => Math.floor(Date.now() / 60_000);
  return async () => {
    for (;;) {
      const startMinute = minute();
      try {
        return await test();
      } catch (error) {
        if (minute() === startMinute) throw error;
      }
    }
  };
}
