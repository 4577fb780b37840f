import { part, router } from "../../address/router.js";
import { number } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { UploadButton } from "../uploads/upload-button.js";
import { AccountMenu } from "./account-menu.js";
import { Connection } from "./connection.js";
import { Icon } from "./icons.js";
import { SearchField } from "./search-field.js";

const view = part((address) => address.view);

export function TopBar() {
  return (
    <header class="top">
      <h1>
        <a
          {...router.link({ view: "photos", photo: null, job: null, group: null })}
          title="Photo Service"
        >
          <img src="/console/icon.svg" alt="" width="26" height="26" />
          <span class="brand">Photo Service</span>
        </a>
      </h1>
      <nav class="views" aria-label="Views">
        <ViewLinks />
      </nav>
      <SearchField />
      <Connection />
      <UploadButton />
      <AccountMenu />
    </header>
  );
}

/** The views, with the number of jobs that are on their way. */
export function ViewLinks() {
  const { counts } = useWorkspace();
  const { PENDING, STARTED } = counts.byStatus.value;
  const current = (name: "photos" | "jobs") =>
    view.value === name ? ({ "aria-current": "page" } as const) : {};
  return (
    <>
      <a {...router.link({ view: "photos", job: null, group: null })} {...current("photos")}>
        <Icon name="photos" />
        Photos
      </a>
      <a {...router.link({ view: "jobs", photo: null, group: null })} {...current("jobs")}>
        <Icon name="jobs" />
        Jobs
        {PENDING + STARTED > 0 && (
          <span class="badge" title="Waiting and running">
            {number(PENDING + STARTED)}
          </span>
        )}
      </a>
    </>
  );
}
