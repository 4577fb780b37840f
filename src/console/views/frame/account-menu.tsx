import { bytes, number } from "../../in-words.js";
import { signOut } from "../../session.js";
import { useWorkspace } from "../../workspace.js";

const OFFLINE =
  "Disconnects this page for ten seconds. Jobs keep running; missed events arrive when the page " +
  "reconnects.";

export function AccountMenu() {
  const { me, feed } = useWorkspace();
  return (
    <>
      <button type="button" class="avatar" popovertarget="account">
        <span aria-hidden="true">{initials(me.name)}</span>
        <span class="unseen">Account of {me.name}</span>
      </button>
      <div id="account" class="menu" popover="auto" role="group" aria-label="Account">
        <p>
          <strong>{me.name}</strong>
          {me.role === "ADMIN" && " (admin)"}
          <br />
          <span class="faint">{me.email}</span>
        </p>
        <Limits />
        <button
          type="button"
          disabled={feed.state.value.kind !== "live"}
          onClick={({ currentTarget }) => {
            currentTarget.closest<HTMLElement>("[popover]")?.hidePopover();
            feed.unplug();
          }}
          title={OFFLINE}
        >
          Go offline
        </button>
        <button type="button" class="only-wide" popovertarget="shortcuts">
          Keyboard shortcuts
        </button>
        <button type="button" onClick={() => signOut()}>
          Sign out
        </button>
      </div>
    </>
  );
}

function Limits() {
  const { limits } = useWorkspace();
  const { unfinished, maxUnfinished, storedBytes, maxStoredBytes } = limits.value;
  return (
    <div class="limits">
      <label>
        {bytes(storedBytes)} of {bytes(maxStoredBytes)} stored
        <meter value={storedBytes} max={maxStoredBytes} high={maxStoredBytes * 0.9} />
      </label>
      <label>
        {number(unfinished)} of {number(maxUnfinished)} unfinished jobs
        <meter value={unfinished} max={maxUnfinished} high={maxUnfinished * 0.9} />
      </label>
    </div>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("");
}
