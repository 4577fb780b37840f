/** The sizes and colours of src/console/styles/tokens.css, which the page at / uses. */
export const tokens = `
:root {
  color-scheme: light dark;
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  --text-1: 0.75rem;
  --text-2: 0.8125rem;
  --text-3: 0.875rem;
  --text-4: 1rem;
  --text-5: 1.25rem;
  --text-6: 1.75rem;
  --space-1: 0.25rem;
  --space-2: 0.5rem;
  --space-3: 0.75rem;
  --space-4: 1rem;
  --space-5: 1.5rem;
  --space-6: 2.5rem;
  --round: 0.5rem;
  --ground: light-dark(#fff, #101114);
  --raised: light-dark(#fff, #1a1b20);
  --sunk: light-dark(#f3f3f6, #202127);
  --line: light-dark(#e2e2e8, #30323a);
  --ink: light-dark(#17181c, #ededf0);
  --soft: light-dark(#5a5d68, #a7a9b4);
  --accent: light-dark(#3a4ed5, #a3aeff);
  --accent-fill: light-dark(#3a4ed5, #4a5ce0);
  --accent-wash: light-dark(#eceefc, #262a45);
  --good: light-dark(#13693a, #74d39a);
  --bad: light-dark(#b3261e, #ff9c93);
  --busy: light-dark(#1a5bbd, #8fbcff);
  --warn: light-dark(#7d5200, #f1be63);
  --shadow: 0 1px 2px #0002, 0 8px 28px light-dark(#1a1b2b2e, #0009);
}
`;

/**
 * The style sheet of the admin pages, for light and dark mode and all widths. It loads no font and
 * no image.
 */
export const styleSheet = `${tokens}
* { box-sizing: border-box }
body {
  margin: 0;
  font: var(--text-3)/1.5 var(--font);
  color: var(--ink);
  background: var(--ground);
}
header {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1.25rem;
  align-items: baseline;
  padding: 0.75rem 1.25rem;
  border-bottom: 1px solid var(--line);
  background: var(--sunk);
}
header strong { margin-right: auto }
nav {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1rem;
}
main {
  padding: 1rem 1.25rem 3rem;
  max-width: 110rem;
  margin: 0 auto;
}
a { color: var(--accent) }
nav a {
  padding: 0.25rem 0;
  border-bottom: 2px solid transparent;
  color: var(--soft);
  font-weight: 550;
  text-decoration: none;
}
nav a:hover { color: var(--ink) }
nav a[aria-current] {
  border-color: var(--accent-fill);
  color: var(--ink);
}
h1 {
  font-size: var(--text-5);
  margin: 0.5rem 0 1rem;
  overflow-wrap: anywhere;
}
h2 {
  font-size: var(--text-4);
  margin: 2rem 0 0.5rem;
}
.wide {
  overflow-x: auto;
  border: 1px solid var(--line);
  border-radius: var(--round);
  max-height: 75vh;
}
table {
  border-collapse: collapse;
  width: 100%;
  font-variant-numeric: tabular-nums;
}
th, td {
  padding: 0.35rem 0.7rem;
  text-align: left;
  vertical-align: baseline;
  border-bottom: 1px solid var(--line);
}
thead th {
  position: sticky;
  top: 0;
  background: var(--sunk);
  white-space: nowrap;
}
tbody tr:last-child > * { border-bottom: 0 }
th small, .mute, .null {
  color: var(--soft);
  font-weight: 400;
}
.null { font-style: italic }
th small { display: block }
.number {
  text-align: right;
  white-space: nowrap;
}
.short { white-space: nowrap }
summary {
  cursor: pointer;
  color: inherit;
}
details[open] summary { color: var(--soft) }
td.cell {
  max-width: 36rem;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
  min-width: min(22rem, 60vw);
}
code, pre, textarea, .id {
  font-family: var(--mono);
  font-size: var(--text-2);
}
.id { white-space: nowrap }
pre {
  margin: 0;
  padding: 0.7rem;
  background: var(--sunk);
  border: 1px solid var(--line);
  border-radius: var(--round);
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  max-height: 30rem;
  overflow-y: auto;
}
form {
  display: flex;
  flex-wrap: wrap;
  gap: 0.75rem;
  align-items: end;
  margin: 0 0 1rem;
}
label {
  display: flex;
  flex-direction: column;
  gap: 0.15rem;
  color: var(--soft);
  font-size: var(--text-2);
  flex: 1 1 11rem;
  max-width: 22rem;
}
form > .mute { align-self: center }
label.whole {
  flex-basis: 100%;
  max-width: none;
}
input, select, textarea, button {
  font: inherit;
  color: var(--ink);
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: var(--round);
  padding: 0.4rem 0.6rem;
  width: 100%;
}
input, select { min-height: 2.4rem }
progress {
  width: min(30rem, 100%);
  accent-color: var(--accent);
}
.actions, .buttons {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
}
.buttons .actions { margin-bottom: 1rem }
.more { flex-basis: 100% }
.more[open] summary { margin-bottom: 0.5rem }
.fields {
  display: flex;
  flex-wrap: wrap;
  gap: 0.75rem;
  align-items: end;
}
textarea {
  min-height: 8rem;
  resize: vertical;
  font-family: var(--mono);
}
button {
  width: auto;
  cursor: pointer;
  background: var(--accent-fill);
  color: #fff;
  border-color: transparent;
  font-weight: 600;
}
td form { margin: 0 }
td ul {
  margin: 0;
  padding: 0;
  list-style: none;
}
button.second {
  background: none;
  color: var(--accent);
  border-color: var(--line);
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}
.refused {
  border-left: 4px solid var(--bad);
  padding: 0.5rem 0.9rem;
  background: var(--sunk);
  overflow-wrap: anywhere;
}
.SUCCESS, .SUCCEEDED, .FINISHED, .running { color: var(--good) }
.FAILED, .lost { color: var(--bad) }
.STARTED, .RETRYING, .RUNNING { color: var(--busy) }
.draining { color: var(--warn) }
.CANCELLED, .DELETED, .STOPPED, .stopped { color: var(--soft) }
.status { font-weight: 600 }
dl {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 0.25rem 1.25rem;
  margin: 0;
}
dt { color: var(--soft) }
dd {
  margin: 0;
  overflow-wrap: anywhere;
}
.columns {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
  gap: 0 2rem;
}
.columns td.cell { min-width: 8rem }
@media (max-width: 40rem) {
  main, header {
    padding-left: 0.8rem;
    padding-right: 0.8rem;
  }
  th, td { padding: 0.3rem 0.5rem }
  dl {
    grid-template-columns: 1fr;
    gap: 0;
  }
  dd { margin-bottom: 0.4rem }
  label { max-width: none }
}
`;
