import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { part, router } from "../../address/router.js";
import type { OutputFile } from "../../../../client/src/index.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "../frame/compose.js";
import { Icon } from "../frame/icons.js";
import { isTyping } from "../frame/search-field.js";
import { Compare } from "./compare.js";
import { LightboxActions } from "./lightbox-actions.js";
import { PhotoInfo } from "./photo-info.js";
import { Picture } from "./picture.js";
import { useNeighbours, usePhoto } from "./use-photo.js";
import { useZoom } from "./use-zoom.js";

const shownId = part(({ photo }) => photo);
/** Kept from photo to photo. */
const isInfoOpen = signal(matchMedia("(min-width: 1000px)").matches);

const close = (): void => router.close("photo");

/** One photo over the whole page. */
export function Lightbox() {
  const id = shownId.value ?? "";
  const { photo, details, isGone, renew } = usePhoto(id);
  const compared = useSignal<OutputFile | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const step = useNeighbours(id);
  const { zoom, handlers, by } = useZoom(stage, { id, onSwipe: step });
  useKeys({ step, by });
  useReturnOfFocus(box, id);
  const endComparing = (): void => {
    compared.value = null;
  };
  useEffect(endComparing, [id]);
  return (
    <div
      class={isInfoOpen.value ? "lightbox with-info" : "lightbox"}
      role="dialog"
      aria-modal="true"
      aria-label={photo?.filename ?? "Photo"}
      ref={box}
      tabIndex={-1}
    >
      <header>
        <button type="button" class="plain" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="left" />
        </button>
        <span class="name">{photo?.filename}</span>
        {photo && <LightboxActions photo={photo} isInfoOpen={isInfoOpen} onZoom={() => by(2)} />}
      </header>
      <div class="lightbox-stage" ref={stage} {...(compared.value ? {} : handlers)}>
        {isGone && <p class="empty">This photo was deleted.</p>}
        {photo && !isGone && compared.value && (
          <Compare photo={photo} output={compared.value} onClose={endComparing} />
        )}
        {photo && !isGone && !compared.value && (
          <Picture key={id} photo={photo} details={details} zoom={zoom.value} onExpired={renew} />
        )}
        <Steps step={step} />
      </div>
      {isInfoOpen.value && photo && (
        <PhotoInfo
          photo={photo}
          details={details}
          onCompare={(output) => {
            compared.value = output;
          }}
        />
      )}
    </div>
  );
}

function Steps({ step }: { step(by: 1 | -1): void }) {
  return (
    <>
      <button
        type="button"
        class="step is-before"
        aria-label="Previous photo"
        onClick={() => step(-1)}
      >
        <Icon name="left" size={28} />
      </button>
      <button type="button" class="step is-next" aria-label="Next photo" onClick={() => step(1)}>
        <Icon name="right" size={28} />
      </button>
    </>
  );
}

function useKeys({ step, by }: { step(by: 1 | -1): void; by(factor: number): void }): void {
  const { photos } = useWorkspace();
  const latest = useRef({ step, by });
  latest.current = { step, by };
  useEffect(() => {
    const receive = (event: KeyboardEvent): void => {
      const isCommand = event.ctrlKey || event.metaKey || event.altKey;
      if (isTyping(event.target) || isCommand) return;
      const act = ACTIONS[event.key];
      if (!act) return;
      event.preventDefault();
      act({ ...latest.current, photos, id: shownId.peek() ?? "" });
    };
    addEventListener("keydown", receive);
    return () => removeEventListener("keydown", receive);
  }, []);
}

interface Actors {
  step(by: 1 | -1): void;
  by(factor: number): void;
  photos: ReturnType<typeof useWorkspace>["photos"];
  id: string;
}

const ACTIONS: Record<string, (actors: Actors) => void> = {
  Escape: close,
  ArrowLeft: ({ step }) => step(-1),
  ArrowRight: ({ step }) => step(1),
  "+": ({ by }) => by(1.5),
  "=": ({ by }) => by(1.5),
  "-": ({ by }) => by(1 / 1.5),
  "0": ({ by }) => by(0),
  i: () => {
    isInfoOpen.value = !isInfoOpen.value;
  },
  x: ({ photos, id }) => photos.toggle(id),
  n: ({ photos, id }) => {
    photos.choose([id], true);
    compose();
  },
};

/** The full view takes the focus, and gives it back to the photo in the grid. */
function useReturnOfFocus(box: { current: HTMLElement | null }, id: string): void {
  const { photos } = useWorkspace();
  const last = useRef(id);
  last.current = id;
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.focus();
    return () => {
      // The sheet for a new job takes the focus itself.
      if (router.address.peek().isComposing) return;
      photos.lastViewed.value = last.current;
      requestAnimationFrame(() => before?.focus({ preventScroll: true }));
    };
  }, []);
}
