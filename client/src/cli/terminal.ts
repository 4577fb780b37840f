/** Where a command prints: results on stdout, progress and faults on stderr. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Width of stderr; null when it is not a terminal, which then shows no bars. */
  readonly columns: number | null;
}

/** Bars below the lines that stay. */
export interface Bars {
  /** Shows or changes the bar of a key. */
  set(key: string, fraction: number, text: string): void;
  remove(key: string): void;
  /** Prints a line that stays, above the bars. */
  line(text: string): void;
  /** The same for a fault, on stderr. */
  fault(text: string): void;
  close(): void;
}

const INTERVAL_MS = 100;
const MAX_BARS = 8;
const WIDTH = 20;

export function createBars(terminal: Terminal): Bars {
  const bars = new Map<string, { fraction: number; text: string }>();
  let drawn = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  function erase(): void {
    if (drawn > 0) terminal.err(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  }

  function draw(): void {
    timer = null;
    if (terminal.columns === null) return;
    erase();
    const lines = [...bars].slice(0, MAX_BARS).map(([key, { fraction, text }]) => {
      const filled = Math.round(fraction * WIDTH);
      return `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${key}  ${text}`;
    });
    if (bars.size > MAX_BARS) lines.push(`… and ${bars.size - MAX_BARS} more`);
    for (const line of lines) terminal.err(`${cut(line, terminal.columns)}\n`);
    drawn = lines.length;
  }

  const print = (write: (text: string) => void, text: string): void => {
    erase();
    write(`${text}\n`);
    drawSoon();
  };
  const drawSoon = (): void => void (timer ??= setTimeout(draw, INTERVAL_MS));
  return {
    set(key, fraction, text) {
      bars.set(key, { fraction: Math.min(1, Math.max(0, fraction)), text });
      drawSoon();
    },
    remove(key) {
      bars.delete(key);
      drawSoon();
    },
    line: (text) => print(terminal.out, text),
    fault: (text) => print(terminal.err, text),
    close() {
      if (timer) clearTimeout(timer);
      erase();
    },
  };
}

/** A line that wraps would be erased only in part. */
function cut(line: string, columns: number): string {
  const characters = Array.from(line);
  return characters.length < columns ? line : `${characters.slice(0, columns - 2).join("")}…`;
}
