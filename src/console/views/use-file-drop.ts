import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { droppedFiles } from "../photos/dropped-files.js";

/**
 * While something is held over a page browsers say so several times a second; when it is taken
 * away, not all of them say that.
 */
const HELD_MS = 1000;

/**
 * Takes files that are dropped anywhere on the page, where a browser would leave it for the file.
 * Tells whether some are held over it.
 */
export function useFileDrop(take: (files: File[]) => void): ReadonlySignal<boolean> {
  const isOver = useSignal(false);
  useEffect(() => {
    let timer = 0;
    const setOver = (is: boolean): void => {
      clearTimeout(timer);
      isOver.value = is;
      if (is) timer = window.setTimeout(() => setOver(false), HELD_MS);
    };
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    // From one element of the page to the next it leaves, too.
    const leave = ({ relatedTarget }: DragEvent): void => {
      if (relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      void droppedFiles(event.dataTransfer).then(take, () => {});
    };
    const listening = new AbortController();
    for (const type of ["dragenter", "dragover"] as const) addEventListener(type, over, listening);
    addEventListener("dragleave", leave, listening);
    addEventListener("drop", drop, listening);
    return () => {
      listening.abort();
      clearTimeout(timer);
    };
  }, []);
  return isOver;
}
