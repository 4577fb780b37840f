import type { JobFigures, Outcomes } from "../../services/reads/job-figures.js";
import { html, type Html } from "./html.js";
import { inSeconds } from "./in-seconds.js";

/** Backlog, throughput and failures, a line for each Job. */
export function figuresTable(figures: JobFigures[]): Html {
  const line = ({
    jobName,
    pending,
    started,
    oldestWaitSeconds,
    hour,
    day,
  }: JobFigures) => html`<tr><th scope="row"><a href="/admin/jobs?job=${jobName}">${jobName}</a></th>
<td class="number">${pending}</td><td class="number">${inSeconds(oldestWaitSeconds)}</td><td class="number">${started}</td>${outcomes(hour)}${outcomes(day)}</tr>\n`;
  const heads = (period: string) =>
    ["ok", "failed", "rate", "median", "slowest"].map(
      (name) => html`<th class="number">${name}<small>${period}</small></th>`,
    );
  return html`<div class="wide" tabindex="0"><table><thead><tr><th>job</th><th class="number">waiting</th><th class="number">longest</th><th class="number">running</th>${heads("last hour")}${heads("last day")}</tr></thead>
<tbody>${figures.map(line)}</tbody></table></div>`;
}

function outcomes({ succeeded, failed, medianSeconds, slowestSeconds }: Outcomes): Html {
  const rate =
    succeeded + failed === 0
      ? ""
      : `${((100 * failed) / (succeeded + failed)).toFixed(failed === 0 ? 0 : 1)} %`;
  return html`<td class="number">${succeeded}</td><td class="number ${failed > 0 && "FAILED"}">${failed}</td><td class="number">${rate}</td><td class="number">${inSeconds(medianSeconds)}</td><td class="number">${inSeconds(slowestSeconds)}</td>`;
}
