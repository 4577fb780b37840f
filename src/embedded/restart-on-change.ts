import { watch } from "node:fs";

/** Waits for a compiler that is still writing. */
const SETTLE_MS = 300;

/** Ends the processes when a file below `folder` changes, but for those below `except`; whoever keeps them running starts them anew. */
export function restartOnChange(folder: string, processes: readonly { readonly pid: number }[], { except }: { except: string }): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, (_change, name) => {
    if (name?.startsWith(except)) return;
    clearTimeout(timer);
    timer = setTimeout(() => processes.forEach(({ pid }) => end(pid)), SETTLE_MS);
  });
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended by itself, and is being started again.
  }
}
