import { useEffect } from "preact/hooks";
import { part, router } from "../../address/router.js";
import { titleOf } from "../../jobs/job-groups.js";
import { useWorkspace } from "../../workspace.js";
import { JobsView } from "../jobs/jobs-view.js";
import { Lightbox } from "../lightbox/lightbox.js";
import { PhotosView } from "../photos/photos-view.js";
import { JobSheet } from "../submit/job-sheet.js";
import { DropHint, UploadPanel } from "../uploads/upload-panel.js";
import { NoticeList } from "./notice-list.js";
import { Shortcuts } from "./shortcuts.js";
import { TabBar } from "./tab-bar.js";
import { TopBar } from "./top-bar.js";

const view = part((address) => address.view);
const isViewing = part(({ photo }) => photo !== null);
const isComposing = part((address) => address.isComposing);

/** The page of a signed-in user. Parts that cover the views stand beside them. */
export function Shell() {
  const { announcement, uploads } = useWorkspace();
  useWarning(uploads.isRunning.value);
  useTitle();
  return (
    <>
      <div class="shell" inert={isViewing.value}>
        <a class="skip" href="#content" onClick={skipToContent}>
          Skip to the {view.value}
        </a>
        <TopBar />
        <div class={isComposing.value ? "stage with-sheet" : "stage"}>
          <main id="content" tabIndex={-1} aria-label={view.value === "jobs" ? "Jobs" : "Photos"}>
            {view.value === "jobs" ? <JobsView /> : <PhotosView />}
          </main>
          {isComposing.value && <JobSheet />}
        </div>
        <TabBar />
      </div>
      {isViewing.value && <Lightbox />}
      <UploadPanel />
      <DropHint />
      <Shortcuts />
      <NoticeList />
      <output class="unseen" role="status" aria-label="Jobs">
        {announcement}
      </output>
    </>
  );
}

function skipToContent(event: Event): void {
  event.preventDefault();
  const content = document.getElementById("content");
  (content?.querySelector<HTMLElement>(".tab-stop") ?? content)?.focus();
}

/** Tabs and bookmarks are found by their titles. */
function useTitle(): void {
  const { library, list } = useWorkspace();
  const { photo, group, view: shown } = router.address.value;
  const opened = list.groups.get(group ?? "")?.value;
  const name =
    (photo && library.get(photo)?.filename) ??
    (opened && titleOf(opened)) ??
    (shown === "jobs" ? "Jobs" : "Photos");
  useEffect(() => {
    document.title = `${name} · Photo Service`;
  }, [name]);
}

/** Browsers ask before a page with running uploads is left. */
function useWarning(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return undefined;
    const warn = (event: Event): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isNeeded]);
}
