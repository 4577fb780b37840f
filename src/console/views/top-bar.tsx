import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CatchUp } from "../feed/catch-up.js";
import { clock, duration, plural } from "../in-words.js";
import type { FeedState } from "../feed/live-feed.js";
import { signOut } from "../session.js";
import { useWorkspace } from "../workspace.js";

export function TopBar() {
  const { me, feed } = useWorkspace();
  const { kind } = feed.state.value;
  return (
    <header class="top">
      <h1>
        <img src="/console/icon.svg" alt="" width="28" height="28" /> Photo Service
      </h1>
      <Connection />
      {kind === "unplugged" ? (
        <button type="button" onClick={feed.plugIn}>
          Reconnect now
        </button>
      ) : (
        <button
          type="button"
          class="quiet"
          disabled={kind !== "live"}
          onClick={feed.unplug}
          title={
            "Disconnects this page for ten seconds. Jobs keep running; missed events arrive when " +
            "the page reconnects."
          }
        >
          Go offline
        </button>
      )}
      <a class="to-jobs" href="#jobs">
        Jobs
      </a>
      <div class="person">
        <span title={me.email}>
          {me.name}
          {me.role === "ADMIN" && " (admin)"}
        </span>
        <button type="button" class="quiet" onClick={() => signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

function Connection() {
  const { feed } = useWorkspace();
  const { state, resumed } = feed;
  return (
    <div class={`connection is-${state.value.kind}`}>
      <span class="lamp" aria-hidden="true" />
      <output role="status" aria-label="Connection">
        {inWords(state.value, resumed.value)}
      </output>
      {state.value.kind === "unplugged" && <Countdown until={state.value.until} />}
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
