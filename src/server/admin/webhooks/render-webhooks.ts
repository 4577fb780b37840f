import type {
  ReceiverState,
  TroubledUser,
  WebhookCounts,
  WebhookState,
} from "../../../services/operators/webhook-orders.js";
import { actionButton, SHOWS_ONLY } from "../actions.js";
import { factList, html, inSeconds, numberCell, timeSince, wideTable, type Html } from "../page.js";

interface Shown {
  origin: string | null;
  actions: boolean;
  /** A sentence about an order that was refused. */
  refusal: string | null;
  path: string;
}

const ABOUT =
  "Each user's events are delivered in order; the next one follows after a 2xx. A failed attempt " +
  "is repeated after 5 seconds, and then after twice the time, up to an hour. After three days the " +
  "user's deliveries pause until they are redelivered here. Undelivered events are kept for seven " +
  "days.";
/** Characters of an answer's body that are shown without opening it. */
const OPEN_CHARACTERS = 80;

/** Renders the content of the page. */
export function renderWebhooks(state: WebhookState, shown: Shown): Html {
  const { users, reasons } = state;
  const { origin, actions, refusal, path } = shown;
  return html`${refusal !== null && html`<p class="refused" role="alert">${refusal}</p>`}
    ${origin === null && html`<p>No receiver is configured: set WEBHOOK_URL and WEBHOOK_SECRET.</p>`}
    ${facts(state, origin)}
    ${actions && state.receiver && allButtons(state.receiver, path)}
    <h2>Users whose webhooks fail, are paused or have a gap</h2>
    ${reasons.length > 0 && html`<p>Failing, by the last reason: ${reasons.map(reasonText)}</p>`}
    ${users.length === 0 ? html`<p>There are none.</p>` : userTable(users, shown)}
    ${actions ? forms(path) : SHOWS_ONLY}
    <p class="mute">${ABOUT}</p>`;
}

function facts({ counts, receiver }: WebhookState, origin: string | null): Html {
  return factList([
    ["receiver", origin ?? "none"],
    ["state", stateOf(receiver)],
    ["lag", lagOf(counts)],
    ["users waiting", counts.waiting],
    ["users failing", counts.failing],
    ["users paused", counts.paused],
    ["event numbers that expired undelivered", counts.missed],
    ["last success", receiver?.lastSuccessAt ? ago(receiver.lastSuccessAt) : "none"],
    ["events from", receiver?.startedAt ?? "the first start of a worker with a receiver"],
  ]);
}

function stateOf(receiver: ReceiverState | null): Html | string {
  if (receiver === null) return "not started";
  const { pausedAt, pausedBy, holdUntil } = receiver;
  if (pausedAt !== null) return html`paused by ${pausedBy} ${ago(pausedAt)}`;
  return holdUntil === null ? "delivering" : html`waits until ${holdUntil}, as the receiver asked`;
}

function lagOf({ lagSeconds, waiting, paused }: WebhookCounts): string {
  return waiting === paused ? "nothing waits" : inSeconds(lagSeconds);
}

function ago(instant: string): Html {
  return html`${timeSince(instant)} ago`;
}

function reasonText({ reason, users }: { reason: string; users: number }): Html {
  return html`<code>${reason}</code> ${users} `;
}

function allButtons({ pausedAt, holdUntil }: ReceiverState, path: string): Html {
  const isStopped = pausedAt !== null || holdUntil !== null;
  const [order, text] = isStopped ? ["resume", "Resume all"] : ["pause", "Pause all"];
  return html`${actionButton(`${path}/${order}`, { text, label: text, fields: { user: "" } })}
    ${actionButton(`${path}/redeliver`, {
      text: "Retry all that fail",
      label: "Retry all that fail",
      fields: { user: "", cursor: "" },
    })}`;
}

function userTable(users: readonly TroubledUser[], shown: Shown): Html {
  const head = html`<th>user</th>
    ${shown.actions && html`<th>order</th>`}
    <th>state</th>
    <th>next attempt</th>
    <th class="number">waits for</th>
    <th class="number">failed attempts</th>
    <th class="number">expired</th>
    <th>last answer</th>
    <th>body</th>`;
  return wideTable(
    head,
    users.map((user) => line(user, shown)),
  );
}

function line(user: TroubledUser, { actions, path }: Shown): Html {
  const { id, email, attempts, waitingSince, missed, lastAt, lastStatus, lastReason } = user;
  const answer = lastAt !== null && html`${lastReason} ${lastStatus} ${ago(lastAt)}`;
  return html`<tr>
    <th scope="row"><a href="/admin/jobs?user=${id}">${email}</a></th>
    ${actions && html`<td>${userButtons(user, path)}</td>`}
    <td class="short">${userState(user)}</td>
    <td class="short">${nextAttempt(user)}</td>
    ${numberCell(waitingSince !== null && timeSince(waitingSince))}
    ${numberCell(attempts)}
    ${numberCell(missed)}
    <td class="short">${answer}</td>
    <td class="cell">${bodyOf(user)}</td>
  </tr>`;
}

function userState({ pausedAt, pausedBy, failingSince }: TroubledUser): Html | string {
  if (pausedAt !== null) return html`paused ${ago(pausedAt)}: ${pausedBy}`;
  if (failingSince === null) return "delivering";
  return html`failing for ${timeSince(failingSince)}`;
}

/** The time of day in UTC, as on all pages. */
function nextAttempt({ pausedAt, dueAt }: TroubledUser): string {
  return pausedAt === null ? (dueAt?.slice(11, 19) ?? "") : "";
}

function bodyOf({ lastBody }: TroubledUser): Html | string {
  if (lastBody === null || lastBody.length <= OPEN_CHARACTERS) return lastBody ?? "";
  const start = lastBody.slice(0, OPEN_CHARACTERS);
  return html`<details><summary>${start}…</summary>${lastBody}</details>`;
}

function userButtons({ id, email, pausedAt }: TroubledUser, path: string): Html {
  const button = (order: string, text: string) =>
    actionButton(`${path}/${order}`, { text, label: `${text}: ${email}`, fields: { user: id } });
  return html`${button("redeliver", "Redeliver")}
    ${pausedAt === null ? button("pause", "Pause") : button("resume", "Resume")}`;
}

function forms(path: string): Html {
  return html`<h2>Redeliver for one user</h2>
    <form method="post" action="${path}/redeliver">
      <label>User: e-mail or id <input name="user" required autocomplete="off"></label>
      <label>After this cursor; empty: what waits
        <input name="cursor" autocomplete="off"></label>
      <button>Redeliver</button>
    </form>
    <h2>Pause one user's webhooks</h2>
    <form method="post" action="${path}/pause">
      <label>User: e-mail or id <input name="user" required autocomplete="off"></label>
      <button>Pause</button>
    </form>`;
}
