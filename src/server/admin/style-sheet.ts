/**
 * The style sheet of the admin pages, for light and dark mode and all widths. It loads no font and
 * no image.
 */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --line: light-dark(#d5dae1, #39424e);
  --soft: light-dark(#f3f5f8, #1c222a);
  --text: light-dark(#1b2330, #e3e8ee);
  --mute: light-dark(#56616f, #9aa7b5);
  --link: light-dark(#0b57b0, #7db4f5);
  --good: light-dark(#0f6b35, #66cf91);
  --bad: light-dark(#b3261e, #ff8f85);
  --busy: light-dark(#7a4c00, #f0b95a);
}
* { box-sizing: border-box }
body {
  margin: 0;
  font: 0.9375rem/1.5 system-ui, sans-serif;
  color: var(--text);
  background: light-dark(#fff, #12161c);
}
header {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1.25rem;
  align-items: baseline;
  padding: 0.75rem 1.25rem;
  border-bottom: 1px solid var(--line);
  background: var(--soft);
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
a { color: var(--link) }
a[aria-current] {
  color: inherit;
  font-weight: 600;
  text-decoration: none;
}
h1 {
  font-size: 1.4rem;
  margin: 0.5rem 0 1rem;
  overflow-wrap: anywhere;
}
h2 {
  font-size: 1.1rem;
  margin: 2rem 0 0.5rem;
}
.wide {
  overflow-x: auto;
  border: 1px solid var(--line);
  border-radius: 0.4rem;
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
  vertical-align: top;
  border-bottom: 1px solid var(--line);
}
thead th {
  position: sticky;
  top: 0;
  background: var(--soft);
  white-space: nowrap;
}
tbody tr:last-child > * { border-bottom: 0 }
th small, .mute, .null {
  color: var(--mute);
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
details[open] summary { color: var(--mute) }
td.cell {
  max-width: 36rem;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
  min-width: min(22rem, 60vw);
}
code, pre, textarea, .id {
  font-family: ui-monospace, monospace;
  font-size: 0.875rem;
}
.id { white-space: nowrap }
pre {
  margin: 0;
  padding: 0.7rem;
  background: var(--soft);
  border: 1px solid var(--line);
  border-radius: 0.4rem;
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
  color: var(--mute);
  font-size: 0.85rem;
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
  color: var(--text);
  background: light-dark(#fff, #0d1116);
  border: 1px solid var(--line);
  border-radius: 0.35rem;
  padding: 0.4rem 0.6rem;
  width: 100%;
}
input, select { min-height: 2.4rem }
progress {
  width: min(30rem, 100%);
  accent-color: var(--link);
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
  font-family: ui-monospace, monospace;
}
button {
  width: auto;
  cursor: pointer;
  background: var(--link);
  color: light-dark(#fff, #10151b);
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
  color: var(--link);
  border-color: var(--line);
}
:focus-visible {
  outline: 2px solid var(--link);
  outline-offset: 1px;
}
.refused {
  border-left: 4px solid var(--bad);
  padding: 0.5rem 0.9rem;
  background: var(--soft);
  overflow-wrap: anywhere;
}
.SUCCESS, .SUCCEEDED, .FINISHED, .running { color: var(--good) }
.FAILED, .lost { color: var(--bad) }
.STARTED, .RETRYING, .RUNNING, .draining { color: var(--busy) }
.CANCELLED, .DELETED, .STOPPED, .stopped { color: var(--mute) }
.status { font-weight: 600 }
dl {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 0.25rem 1.25rem;
  margin: 0;
}
dt { color: var(--mute) }
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
