/**
 * Settles as `work` does, or, when that has taken `ms`, as `late` does; the work goes on, and what
 * becomes of it is its own business.
 */
export function withPatience<T, L>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  // By hand: a race would make four promises more, of each statement and each request.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void Promise.resolve().then(late).then(resolve, reject), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}
