/** Passes values from calls to the live parts that show them. */
export interface Channel<T> {
  emit(value: T): void;
  /** Returns a function that stops it; that returns false when it is called again. */
  listen(listener: (value: T) => void): () => boolean;
}

export function createChannel<T>(): Channel<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    emit(value) {
      for (const listener of listeners) listener(value);
    },
    listen(listener) {
      // A wrapper, because the same listener may be added twice.
      const entry = (value: T): void => listener(value);
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
  };
}
