/** Settles as `work` does, or, when that has taken `ms`, as `late` does; the work goes on, and what becomes of it is its own business. */
export async function withPatience<T, L>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([work, enough.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
