import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CatchUp } from "../../feed/catch-up.js";
import type { FeedState } from "../../feed/live-feed.js";
import { clock, duration, plural } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";

/** The state of the stream of events, as a lamp and in words. */
export function Connection() {
  const { feed } = useWorkspace();
  const { state, resumed } = feed;
  return (
    <div class={`connection is-${state.value.kind}`}>
      <span class="lamp" aria-hidden="true" />
      <output role="status" aria-label="Connection" title={inWords(state.value, resumed.value)}>
        {inWords(state.value, resumed.value)}
      </output>
      {state.value.kind === "unplugged" && (
        <>
          <Countdown until={state.value.until} />
          <button type="button" class="small" onClick={feed.plugIn}>
            Reconnect now
          </button>
        </>
      )}
    </div>
  );
}

function Countdown({ until }: { until: Date }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 250);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="faint" aria-hidden="true">
      back in {Math.max(0, Math.ceil((until.getTime() - now.value) / 1000))} s
    </span>
  );
}

function inWords(state: FeedState, resumed: CatchUp | null): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "unplugged":
      return `Offline demo: last update at ${clock(state.since)}`;
    case "away":
      return `Connection lost, reconnecting… Last update at ${clock(state.since)}`;
    case "refused":
      return state.why;
    case "live":
      return resumed ? `Live · ${afterCut(resumed)}` : "Live";
  }
}

function afterCut({ awayMs, missed, lost, repeated }: CatchUp): string {
  const away = `resumed after ${duration(awayMs)}: `;
  if (missed === 0) return `${away}no events missed`;
  const all = `caught up on ${plural(missed, "missed event")}`;
  return `${away}${all}, ${lost} lost, ${repeated} duplicates`;
}
